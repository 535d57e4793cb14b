#include "kernel/symbols/vmlinux/dwarf_units.h"

#include <libelf.h>

#include <utility>

#include "kernel/symbols/vmlinux/dwarf_struct.h"

namespace photon_dmesg {

void DwarfUnits::EndElf::operator()(Elf* elf) const {
  elf_end(elf);
}

void DwarfUnits::EndDwarf::operator()(Dwarf* dwarf) const {
  dwarf_end(dwarf);
}

DwarfUnits::DwarfUnits(std::vector<std::byte> file) : file_(std::move(file)) {
  elf_.reset(elf_memory(reinterpret_cast<char*>(file_.data()), file_.size()));
  dwarf_.reset(dwarf_begin_elf(elf_.get(), DWARF_C_READ, nullptr));
}

DwarfUnits::DwarfUnits(Elf* elf) : dwarf_(dwarf_begin_elf(elf, DWARF_C_READ, nullptr)) {}

DwarfUnits::~DwarfUnits() = default;

bool DwarfUnits::any() const {
  Dwarf_CU* unit = nullptr;
  return dwarf_ != nullptr &&
         dwarf_get_units(dwarf_.get(), nullptr, &unit, nullptr, nullptr, nullptr, nullptr) == 0;
}

bool DwarfUnits::index_next_unit() {
  Dwarf_Die unit{};
  if (is_complete_ || dwarf_ == nullptr ||
      dwarf_get_units(dwarf_.get(), last_unit_, &last_unit_, nullptr, nullptr, &unit, nullptr) !=
          0) {
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
