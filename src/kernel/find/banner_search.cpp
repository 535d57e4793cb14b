#include "kernel/find/banner_search.h"

#include <string_view>

#include "base/budget.h"

namespace photon_dmesg {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A search through an image, range by range.
class BannerSearch {
 public:
  BannerSearch(const KernelImage& image, BannerExtent extent) : image_(image), extent_(extent) {}

  void search(const ImageRange& range) {
    image_.for_each_piece(range, banner_bytes_limit, [&](auto begin, auto bytes, auto count) {
      search_piece(begin, as_text(bytes), count);
      return !has_ended_;
    });
  }

  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] const Budget& budget() const { return budget_; }
  [[nodiscard]] std::vector<FoundBanner>& found() { return found_; }

 private:
  void search_piece(GuestVirtual begin, std::string_view text, std::size_t count) {
    for (std::size_t at = find_banner_prefix(text, 0); at < count && !has_ended_;
         at = find_banner_prefix(text, at + 1)) {
      std::optional<KernelBanner> banner = parse_banner(text.substr(at));
      if (!banner) continue;
      has_ended_ = !budget_.take() ||
                   (extent_ == BannerExtent::UpToBuildNumber && has_build_number(*banner));
      if (!budget_.exceeded()) found_.push_back({std::move(*banner), begin + at});
    }
  }

  const KernelImage& image_;
  BannerExtent extent_;
  Budget budget_{"banners in a kernel's image", 256};
  std::vector<FoundBanner> found_;
  bool has_ended_ = false;
};

}  // namespace

std::vector<FoundBanner> find_banners(const KernelImage& image, BannerExtent extent,
                                      Diagnostics& diagnostics) {
  BannerSearch search(image, extent);
  for (const std::vector<ImageRange>* ranges : {&image.read_only(), &image.other()}) {
    for (const ImageRange& range : *ranges) {
      if (!search.has_ended()) search.search(range);
    }
    if (!search.found().empty()) break;
  }
  search.budget().warn_if_exceeded(image.tables().memory().name(), diagnostics);
  return std::move(search.found());
}

std::optional<KernelBanner> banner_at(const KernelImage& image, GuestVirtual address) {
  for (const std::vector<ImageRange>* ranges : {&image.read_only(), &image.other()}) {
    for (const ImageRange& range : *ranges) {
      if (address < range.begin || address - range.begin >= range.size) continue;
      return parse_banner(as_text(image.bytes(range).subspan(address - range.begin)));
    }
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
