#pragma once

#include "cli/options.h"
#include "session/package_use.h"

namespace photon_dmesg {

// How a run uses packages, as the options say; without a cache if there is no place for one.
[[nodiscard]] PackageUse package_use(const Options& options);

}  // namespace photon_dmesg
