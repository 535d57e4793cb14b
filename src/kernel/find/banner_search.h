#pragma once

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

// Every banner in `image`, ascending: in its read-only data, where it is
// since the kernel protects its memory, or else anywhere in the image. There may be more than one:
// kernels since 6.1 are linked with a second one without the build number, which nothing uses. Of
// very many the rest is left out with a warning.
[[nodiscard]] std::vector<FoundBanner> find_banners(const KernelImage& image,
                                                    Diagnostics& diagnostics);

}  // namespace photon_dmesg
