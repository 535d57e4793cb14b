#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/symbols/struct_layout.h"
#include "kernel/symbols/vmlinux/dwarf_units.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// The function by which that unit is found: of kernel/printk/printk.c, in every kernel since 3.11.
inline constexpr std::string_view printk_function = "do_syslog";

// Layouts of structures from the DWARF of a vmlinux. Reads the compile unit that defines printk's
// structures, those of other functions that types_of_use.h names for what they define, and all
// others only for a structure that is not said to be in one of these. Each unit's own DWARF version
// counts; relocation sections are not applied (a vmlinux is linked, whatever relocations it
// carries).
class DwarfTypes {
 public:
  // `image` must outlive this object. Throws Error(UnusableInput) if it has no DWARF.
  explicit DwarfTypes(const ElfImage& image);

  // Of some compile units alone, printk's first: `units` is an ELF file as
  // read_needed_sections() makes it, `name` what messages call it.
  DwarfTypes(std::string name, std::vector<std::byte> units);

  ~DwarfTypes();
  DwarfTypes(const DwarfTypes&) = delete;
  DwarfTypes& operator=(const DwarfTypes&) = delete;

  // The layout of the first definition of `struct name`, or null if no unit has one. Owned by this
  // object.
  [[nodiscard]] const StructLayout* find_struct(std::string_view name);

 private:
  [[nodiscard]] std::unique_ptr<DwarfUnits> open_units(
      const std::vector<std::string_view>& functions) const;
  [[nodiscard]] DwarfUnits* units_of_use();
  [[nodiscard]] DwarfUnits& all_units();
  [[nodiscard]] std::optional<StructLayout> look_up(std::string_view name);

  const ElfImage* image_;  // null: there are no other units than the first
  std::string name_;
  std::unique_ptr<DwarfUnits> units_;         // null if printk's could not be cut out
  std::unique_ptr<DwarfUnits> units_of_use_;  // null if there are none, or if not needed so far
  bool are_units_open_ = false;               // whether these have been opened
  std::unique_ptr<DwarfUnits> all_units_;     // opened when needed
  // Absent structures are remembered too: looking through all units is the slow case.
  std::map<std::string, std::optional<StructLayout>, std::less<>> layouts_;
};

}  // namespace photon_dmesg
