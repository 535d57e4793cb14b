#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// A store of all that `symbols` know: see SymbolStore. `release` is as `uname -r`, `origin` says
// where the symbols were found. Names longer than 65535 bytes, which no kernel has, are left out.
// Throws Error(UnusableInput) when the source is damaged, or larger than any kernel's.
[[nodiscard]] std::vector<std::byte> make_symbol_store(const KernelSymbols& symbols,
                                                       const std::string& release,
                                                       const std::string& origin);

}  // namespace photon_dmesg
