#pragma once

#include "kernel/arch/architecture.h"

namespace photon_dmesg::aarch64 {

// arm64 as Linux uses it, little-endian. Lives as long as the program.
[[nodiscard]] const Architecture& architecture();

}  // namespace photon_dmesg::aarch64
