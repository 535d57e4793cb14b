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
  // A function in whose compile unit the structure is defined, which every kernel has that has the
  // structure: debug information is looked through there, and in the units that others name, and
  // nowhere else. Empty: in printk's own unit, and if need be in all others, which takes seconds.
  std::string_view function;
};

// All of them: what reads a structure that is not here would find it on a first run, and not when
// the symbols come from a store.
[[nodiscard]] std::span<const TypeOfUse> types_of_use();

// The functions by whose units structures are found, each once.
[[nodiscard]] std::vector<std::string_view> functions_of_use();

// Whether `type` is one that is only looked for in the units of these functions.
[[nodiscard]] bool is_in_units_of_use(std::string_view name);

// The layouts of those that `symbols` has, in the table's order; owned by `symbols`.
[[nodiscard]] std::vector<const StructLayout*> find_types_of_use(const KernelSymbols& symbols);

}  // namespace photon_dmesg
