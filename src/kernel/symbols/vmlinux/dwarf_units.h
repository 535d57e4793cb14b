#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernel/symbols/struct_layout.h"
#include "kernel/symbols/vmlinux/dwarf_file.h"

namespace photon_dmesg {

// The structures of the compile units of an ELF file.
class DwarfUnits {
 public:
  // `file`: a small one in memory.
  explicit DwarfUnits(std::vector<std::byte> file);
  // Of some units; the image that they are of must outlive this object.
  explicit DwarfUnits(CompileUnits units);
  // All of `image`, which must outlive this object.
  explicit DwarfUnits(const ElfImage& image);
  ~DwarfUnits();
  DwarfUnits(const DwarfUnits&) = delete;
  DwarfUnits& operator=(const DwarfUnits&) = delete;

  // Whether there is any.
  [[nodiscard]] bool any() const;

  // Whether one refers to others (DW_TAG_imported_unit), as dwz makes them: without those it is not
  // to be read, as their places are other units' here.
  [[nodiscard]] bool refers_to_others() const;

  // The layout of the first definition of a structure or union called `name`. Each unit is gone
  // through once, when those before it don't have what is looked for. Throws Error(UnusableInput)
  // when it can't be read, such as where a member's type stands in another unit.
  [[nodiscard]] std::optional<StructLayout> find_struct(std::string_view name);

 private:
  bool index_next_unit();

  DwarfFile dwarf_;
  Dwarf_CU* last_unit_ = nullptr;  // that is in the index
  bool is_complete_ = false;       // whether all are
  std::unordered_map<std::string_view, Dwarf_Die> index_;
};

}  // namespace photon_dmesg
