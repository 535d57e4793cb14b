#include "base/expanded_file.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t block_bytes = 64 * 1024;

}  // namespace

ExpandedFile::ExpandedFile(const std::filesystem::path& path) : file_(path) {
  const std::uint64_t size = file_.size();
  if (size == 0) return;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw unusable(fmt::format("{}: no address space for {} bytes: {}", file_.name(), size,
                               std::generic_category().message(errno)));
  }
  bytes_ = {static_cast<std::byte*>(memory), size};
  has_block_.resize((size + block_bytes - 1) / block_bytes);
}

ExpandedFile::~ExpandedFile() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

std::span<const std::byte> ExpandedFile::expand(FileRange range) {
  if (!file_.contains(range.offset, range.size)) {
    throw unusable(
        fmt::format("{}: truncated: expected {} bytes at offset {:#x}, but it ends at "
                    "{:#x}",
                    file_.name(), range.size, range.offset, file_.size()));
  }
  const std::uint64_t last = (range.offset + range.size + block_bytes - 1) / block_bytes;
  for (std::uint64_t block = range.offset / block_bytes; block < last;) {
    // As many as are missing side by side, in one step.
    std::uint64_t end = block;
    while (end < last && !has_block_[end]) ++end;
    const std::uint64_t at = block * block_bytes;
    const std::uint64_t size =
        std::min(end * block_bytes, file_.size()) - std::min(at, file_.size());
    if (end > block) file_.read_at(at, bytes_.subspan(at, size));
    for (; block < end; ++block) has_block_[block] = true;
    if (block < last) ++block;
  }
  return bytes_.subspan(range.offset, range.size);
}

}  // namespace photon_dmesg
