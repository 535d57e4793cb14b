#include "kernel/find/banner_search.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "kernel/memory/image_ranges.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {
namespace {

void search_window(GuestVirtual begin, std::string_view window, std::uint64_t step,
                   std::vector<FoundBanner>& found) {
  for (std::size_t at = window.find(banner_prefix); at < step;
       at = window.find(banner_prefix, at + 1)) {
    if (std::optional<KernelBanner> banner = parse_banner(window.substr(at))) {
      found.push_back({std::move(*banner), begin + at});
    }
  }
}

void search_range(const KernelMemory& memory, const ImageRange& range,
                  std::vector<FoundBanner>& found) {
  constexpr std::uint64_t step = 256 * 1024;
  std::string window;
  for (std::uint64_t at = 0; at < range.size; at += step) {
    // Windows overlap by a banner, which belongs to the window that it begins in.
    window.resize(std::min<std::uint64_t>(step + banner_bytes_limit, range.size - at));
    // A page that is mapped to no RAM hides what stands on it, not the rest of the image.
    if (memory.read(range.begin + at, std::as_writable_bytes(std::span(window)))) {
      search_window(range.begin + at, window, step, found);
    }
  }
}

}  // namespace

std::vector<FoundBanner> find_banners(const GuestMemory& memory, const PageTables& tables) {
  const ImageRanges image = find_image_ranges(tables);
  const KernelMemory kernel_memory(memory, tables);
  std::vector<FoundBanner> found;
  for (const std::vector<ImageRange>* ranges : {&image.read_only, &image.other}) {
    for (const ImageRange& range : *ranges) {
      search_range(kernel_memory, range, found);
    }
    if (!found.empty()) {
      break;
    }
  }
  return found;
}

}  // namespace photon_dmesg
