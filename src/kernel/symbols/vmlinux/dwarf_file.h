#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernel/symbols/vmlinux/compile_unit.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// Debug information that libdw has open.
class DwarfFile {
 public:
  // Of a small ELF file in memory.
  explicit DwarfFile(std::vector<std::byte> file);
  // Of some units; the image that they are of must outlive this object.
  explicit DwarfFile(CompileUnits units);
  // Of .debug_info and `sections` of `image`, which must outlive this object.
  DwarfFile(const ElfImage& image, std::span<const std::string_view> sections);
  ~DwarfFile();
  DwarfFile(const DwarfFile&) = delete;
  DwarfFile& operator=(const DwarfFile&) = delete;

  // Null if libdw makes nothing of it.
  [[nodiscard]] Dwarf* get() const { return dwarf_.get(); }

 private:
  struct EndElf {
    void operator()(Elf* elf) const;
  };
  struct EndDwarf {
    void operator()(Dwarf* dwarf) const;
  };

  void open();

  CompileUnits units_;  // empty: the whole file's
  std::vector<std::byte> file_;
  std::unique_ptr<Elf, EndElf> elf_;  // over file_; null: the image's own
  std::unique_ptr<Dwarf, EndDwarf> dwarf_;
};

}  // namespace photon_dmesg
