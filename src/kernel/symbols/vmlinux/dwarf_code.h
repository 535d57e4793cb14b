#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/budget.h"
#include "kernel/symbols/source_line.h"
#include "kernel/symbols/vmlinux/dwarf_struct.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {

// What libdw's entries say of code. Damaged debug information may lead back to itself, or to the
// same places without end: where `steps` run out, these throw Error(UnusableInput).

// Calls visit(begin, end) for each run of code that is `die`'s.
template <typename Visit>
void for_each_dwarf_range(Dwarf_Die& die, Budget& steps, Visit visit) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  std::ptrdiff_t next = 0;
  while ((next = elfutils().dwarf_ranges(&die, next, &base, &begin, &end)) > 0) {
    if (!steps.take()) fail_dwarf_loop();
    if (begin < end) visit(begin, end);
  }
}

// A run of code and the function that it is of.
struct DwarfFunction {
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  Dwarf_Die die{};
};

// The code of a unit, whose entry is `unit`.
[[nodiscard]] std::vector<DwarfFunction> list_dwarf_functions(Dwarf_Die unit, Budget& steps);

// The calls in `function` that the compiler has inlined and that `address` is within, the outermost
// first.
[[nodiscard]] std::vector<Dwarf_Die> find_dwarf_inlined(Dwarf_Die function, GuestVirtual address,
                                                        Budget& steps);

// The name of a function or of an inlined call. Throws Error(UnusableInput) unless
// `all_units_are_there`, if it stands in another unit.
[[nodiscard]] std::string dwarf_function_name(Dwarf_Die die, bool all_units_are_there);

// Where the inlined `call` stands in `unit`, and the line that the unit's line table has for
// `address`; without a function, empty if that is not known. Throws Error(UnusableInput) when that
// table is damaged.
[[nodiscard]] SourceLine dwarf_call_site(Dwarf_Die unit, Dwarf_Die call);
[[nodiscard]] SourceLine dwarf_line(Dwarf_Die unit, GuestVirtual address);

}  // namespace photon_dmesg
