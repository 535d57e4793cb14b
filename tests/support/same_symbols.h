#pragma once

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg::test {

// Checks that `found` answers as `expected` does: for every name, also as that of a static
// variable; at, before and behind every address; for every type of use, member by member.
void check_same_symbols(const KernelSymbols& found, const KernelSymbols& expected);

// Checks that two layouts are the same, member by member.
void check_same_layout(const StructLayout& found, const StructLayout& expected);

}  // namespace photon_dmesg::test
