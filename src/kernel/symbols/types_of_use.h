#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// A structure that some command asks KernelSymbols for.
struct TypeOfUse {
  std::string_view name;
  // A kernel that has the structure has this symbol; empty: every kernel has the structure. Looking
  // for one that is not there takes time.
  std::string_view symbol;
  // Asked for only if there is no structure of this name; empty: always.
  std::string_view instead_of;
};

// All of them: what reads a structure that is not here would find it on a first run, and not when
// the symbols come from a store.
[[nodiscard]] std::span<const TypeOfUse> types_of_use();

// The layouts of those that `symbols` has, in the table's order; owned by `symbols`.
[[nodiscard]] std::vector<const StructLayout*> find_types_of_use(const KernelSymbols& symbols);

}  // namespace photon_dmesg
