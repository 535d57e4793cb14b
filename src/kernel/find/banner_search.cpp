#include "kernel/find/banner_search.h"

#include <string_view>

#include "base/budget.h"

namespace photon_dmesg {
namespace {

void search_range(const KernelImage& image, const ImageRange& range, Budget& budget,
                  std::vector<FoundBanner>& found) {
  const auto search = [&](GuestVirtual begin, std::span<const std::byte> bytes, std::size_t count) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (std::size_t at = find_banner_prefix(text, 0); at < count;
         at = find_banner_prefix(text, at + 1)) {
      std::optional<KernelBanner> banner = parse_banner(text.substr(at));
      if (!banner) continue;
      if (!budget.take()) return;
      found.push_back({std::move(*banner), begin + at});
    }
  };
  image.for_each_piece(range, banner_bytes_limit, search);
}

}  // namespace

std::vector<FoundBanner> find_banners(const KernelImage& image, Diagnostics& diagnostics) {
  Budget budget("banners in a kernel's image", 256);
  std::vector<FoundBanner> found;
  for (const std::vector<ImageRange>* ranges : {&image.read_only(), &image.other()}) {
    for (const ImageRange& range : *ranges) search_range(image, range, budget, found);
    if (!found.empty()) break;
  }
  budget.warn_if_exceeded(image.tables().memory().name(), diagnostics);
  return found;
}

}  // namespace photon_dmesg
