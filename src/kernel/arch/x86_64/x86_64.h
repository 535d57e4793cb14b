#pragma once

#include "kernel/arch/architecture.h"

namespace photon_dmesg::x86_64 {

// Processors and Linux of x86-64; lives as long as the program.
[[nodiscard]] const Architecture& architecture();

}  // namespace photon_dmesg::x86_64
