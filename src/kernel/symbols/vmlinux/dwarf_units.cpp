#include "kernel/symbols/vmlinux/dwarf_units.h"

#include <dwarf.h>

#include <utility>

#include "kernel/symbols/vmlinux/compile_unit.h"
#include "kernel/symbols/vmlinux/dwarf_struct.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {

DwarfUnits::DwarfUnits(std::vector<std::byte> file) : dwarf_(std::move(file)) {}

DwarfUnits::DwarfUnits(CompileUnits units) : dwarf_(std::move(units)) {}

DwarfUnits::DwarfUnits(const ElfImage& image) : dwarf_(image, unit_sections) {}

DwarfUnits::~DwarfUnits() = default;

bool DwarfUnits::any() const {
  Dwarf_CU* unit = nullptr;
  return dwarf_.get() != nullptr &&
         elfutils().dwarf_get_units(dwarf_.get(), nullptr, &unit, nullptr, nullptr, nullptr,
                                    nullptr) == 0;
}

bool DwarfUnits::refers_to_others() const {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die{};
  bool found = false;
  while (!found && dwarf_.get() != nullptr &&
         elfutils().dwarf_get_units(dwarf_.get(), unit, &unit, nullptr, nullptr, &die, nullptr) ==
             0) {
    for_each_dwarf_child(die, [&](Dwarf_Die& child) {
      found = elfutils().dwarf_tag(&child) == DW_TAG_imported_unit;
      return !found;
    });
  }
  return found;
}

bool DwarfUnits::index_next_unit() {
  Dwarf_Die unit{};
  if (is_complete_ || dwarf_.get() == nullptr ||
      elfutils().dwarf_get_units(dwarf_.get(), last_unit_, &last_unit_, nullptr, nullptr, &unit,
                                 nullptr) != 0) {
    is_complete_ = true;
    return false;
  }
  for_each_dwarf_child(unit, [&](Dwarf_Die& child) {
    if (is_dwarf_definition(child)) index_.try_emplace(dwarf_name(child), child);
    return true;
  });
  return true;
}

std::optional<StructLayout> DwarfUnits::find_struct(std::string_view name) {
  auto found = index_.find(name);
  while (found == index_.end() && index_next_unit()) found = index_.find(name);
  if (found == index_.end() || name.empty()) return std::nullopt;
  return read_dwarf_struct(found->second);
}

}  // namespace photon_dmesg
