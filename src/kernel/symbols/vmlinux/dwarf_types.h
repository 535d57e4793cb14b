#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/symbols/struct_layout.h"
#include "kernel/symbols/vmlinux/elf_image.h"

struct Dwarf;
struct Elf;

namespace photon_dmesg {

// The function by which that unit is found: of kernel/printk/printk.c, in every kernel since 3.11.
inline constexpr std::string_view printk_function = "do_syslog";

// Layouts of structures from the DWARF of a vmlinux. Reads the compile unit that defines printk's
// structures, and all others only for a structure that one lacks. Each unit's own DWARF version
// counts; relocation sections are not applied (a vmlinux is linked, whatever relocations it
// carries).
class DwarfTypes {
 public:
  // `image` must outlive this object. Throws Error(UnusableInput) if it has no DWARF.
  explicit DwarfTypes(const ElfImage& image);

  // Of the compile unit that defines printk's structures alone: `unit` is an ELF file as
  // extract_compile_unit() makes it, `name` what messages call it.
  DwarfTypes(std::string name, std::vector<std::byte> unit);

  ~DwarfTypes();
  DwarfTypes(const DwarfTypes&) = delete;
  DwarfTypes& operator=(const DwarfTypes&) = delete;

  // The layout of the first definition of `struct name`, or null if no unit has one. Owned by this
  // object.
  [[nodiscard]] const StructLayout* find_struct(std::string_view name);

 private:
  struct EndElf {
    void operator()(Elf* elf) const;
  };
  struct EndDwarf {
    void operator()(Dwarf* dwarf) const;
  };

  void open_printk_unit();
  void open_unit(std::vector<std::byte> unit);
  [[nodiscard]] Dwarf* all_units();
  [[nodiscard]] std::optional<StructLayout> look_up(std::string_view name);

  const ElfImage* image_;  // null: there are no other units than the one
  std::string name_;
  std::vector<std::byte> unit_bytes_;
  std::unique_ptr<Elf, EndElf> unit_elf_;        // over unit_bytes_
  std::unique_ptr<Dwarf, EndDwarf> unit_dwarf_;  // null if the unit could not be cut out
  std::unique_ptr<Dwarf, EndDwarf> all_units_;   // opened when needed
  // Absent structures are remembered too: looking through all units is the slow case.
  std::map<std::string, std::optional<StructLayout>, std::less<>> layouts_;
};

}  // namespace photon_dmesg
