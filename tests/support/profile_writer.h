#pragma once

#include <string>

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg::test {

// A profile of version 1, as photon-dmesg wrote them: some symbols and layouts, as JSON.
[[nodiscard]] std::string json_profile(const KernelSymbols& symbols);

}  // namespace photon_dmesg::test
