#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/symbols/banner.h"

namespace photon_dmesg {

struct FoundBanner {
  KernelBanner banner;
  GuestVirtual address;
};

// How far a search for banners goes: kernels since 6.1 are linked with a second one without the
// build number, which nothing uses and which stands before the right one.
enum class BannerExtent {
  UpToBuildNumber,  // up to the first that has one, which is the right one of nearly every kernel
  All
};

// Banners in `image`, ascending: in its read-only data, where the right one is since the kernel
// protects its memory, or else anywhere in the image. Of very many the rest is left out with a
// warning.
[[nodiscard]] std::vector<FoundBanner> find_banners(const KernelImage& image, BannerExtent extent,
                                                    Diagnostics& diagnostics);

// The banner that begins at `address` of `image`, if one does.
[[nodiscard]] std::optional<KernelBanner> banner_at(const KernelImage& image, GuestVirtual address);

}  // namespace photon_dmesg
