#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/elf_image.h"
#include "kernel/struct_layout.h"

struct Dwarf;

namespace photon_dmesg {

// Layouts of structures from the DWARF of a vmlinux. Reads the compile unit that defines printk's
// structures, and others only for a structure that one lacks. Each unit's own DWARF version counts;
// relocation sections are not applied (a vmlinux is linked, whatever relocations it carries).
class DwarfTypes {
 public:
  // `image` must outlive this object. Throws Error(UnusableInput) if it has no DWARF.
  explicit DwarfTypes(const ElfImage& image);
  ~DwarfTypes();
  DwarfTypes(const DwarfTypes&) = delete;
  DwarfTypes& operator=(const DwarfTypes&) = delete;

  // The layout of the first definition of `struct name`, or null if no unit has one. Owned by this
  // object.
  [[nodiscard]] const StructLayout* find_struct(std::string_view name);

 private:
  struct End {
    void operator()(Dwarf* dwarf) const;
  };

  const ElfImage& image_;
  std::unique_ptr<Dwarf, End> dwarf_;
  // Absent structures are remembered too: looking through all units is the slow case.
  std::map<std::string, std::optional<StructLayout>, std::less<>> layouts_;
};

}  // namespace photon_dmesg
