#include "kernel/memory/kernel_image.h"

#include "kernel/memory/page_reads.h"

namespace photon_dmesg {
namespace {

void append_page(std::vector<ImageRange>& ranges, const PageTables::Page& page) {
  if (!ranges.empty() && ranges.back().begin + ranges.back().size == page.virtual_address) {
    ranges.back().size += page.size;
  } else {
    ranges.push_back({page.virtual_address, page.size});
  }
}

}  // namespace

KernelImage::KernelImage(const GuestMemory& memory, const PageTables& tables, Pieces pieces)
    : memory_(memory, tables), pieces_(pieces) {
  // As many as the largest of machines maps beside its direct map.
  Budget pages("pages mapped where the image may be", std::uint64_t{1} << 22);
  range_ = tables.architecture().image_range(tables, pages);
  pages_searched_ = pages.taken();
  tables.for_each_page(range_.begin, range_.end, [&](const PageTables::Page& page) {
    const bool read_only = !page.writable && !page.executable;
    if (!budget_.take(page.size)) return;
    append_page(read_only ? read_only_ : other_, page);
  });
}

std::optional<GuestVirtual> KernelImage::begin() const {
  if (read_only_.empty() && other_.empty()) return std::nullopt;
  if (read_only_.empty()) return other_.front().begin;
  if (other_.empty()) return read_only_.front().begin;
  return std::min(read_only_.front().begin, other_.front().begin);
}

std::span<const std::byte> KernelImage::bytes(const ImageRange& range) const {
  const auto [place, is_new] = bytes_.try_emplace(range.begin.value);
  LargeBuffer& content = place->second;
  if (is_new) {
    content = LargeBuffer(range.size);
    read(range.begin, content.bytes());
  }
  return content.bytes();
}

void KernelImage::read(GuestVirtual begin, std::span<std::byte> target) const {
  if (!memory_.read(begin, target)) read_by_pages(memory_, begin, target);
}

}  // namespace photon_dmesg
