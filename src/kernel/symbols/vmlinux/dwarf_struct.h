#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel/symbols/struct_layout.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {

// What libdw's entries say. Damaged debug information may lead back to itself, where libdw would
// follow it for ever: then all of these throw Error(UnusableInput).

[[noreturn]] void fail_dwarf_loop();

// An entry's name; empty if it has none.
[[nodiscard]] std::string_view dwarf_name(Dwarf_Die& die);

// Whether `die` is a structure or a union that is defined there, not only declared.
[[nodiscard]] bool is_dwarf_definition(Dwarf_Die& die);

// The layout of the structure or union that `die` defines.
[[nodiscard]] StructLayout read_dwarf_struct(Dwarf_Die die);

// Calls visit(child) for each child, until it returns false.
template <typename Visit>
void for_each_dwarf_child(Dwarf_Die parent, Visit visit) {
  constexpr std::uint64_t most_children = std::uint64_t{1} << 22;
  std::uint64_t count = 0;
  Dwarf_Die child{};
  for (int more = elfutils().dwarf_child(&parent, &child); more == 0;
       more = elfutils().dwarf_siblingof(&child, &child)) {
    if (++count > most_children) fail_dwarf_loop();
    if (!visit(child)) return;
  }
}

}  // namespace photon_dmesg
