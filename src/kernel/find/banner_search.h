#pragma once

#include <vector>

#include "base/address.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/symbols/banner.h"

namespace photon_dmesg {

struct FoundBanner {
  KernelBanner banner;
  GuestVirtual address;
};

// Every banner in `image`, ascending: in its read-only data, where it is
// since the kernel protects its memory, or else anywhere in the image. There may be more than one:
// kernels since 6.1 are linked with a second one without the build number, which nothing uses.
[[nodiscard]] std::vector<FoundBanner> find_banners(const KernelImage& image);

}  // namespace photon_dmesg
