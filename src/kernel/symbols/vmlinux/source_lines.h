#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/budget.h"
#include "kernel/symbols/source_line.h"
#include "kernel/symbols/vmlinux/dwarf_file.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// The source lines of code, by the DWARF of a vmlinux. Of the file only the compile units are read
// that the code is in, where .debug_aranges tells them; all are where it doesn't (clang writes
// none), or where these refer to others.
class SourceLines {
 public:
  // Of the vmlinux at `path`, for code at `addresses` (as linked). Throws Error(UnusableInput) when
  // it can't be read or has no debug information.
  SourceLines(const std::filesystem::path& path, std::span<const GuestVirtual> addresses);
  // The same of a vmlinux in memory, `name` being what messages call it.
  SourceLines(std::string name, std::vector<std::byte> file,
              std::span<const GuestVirtual> addresses);
  ~SourceLines();
  SourceLines(const SourceLines&) = delete;
  SourceLines& operator=(const SourceLines&) = delete;

  // What the instruction at `address`, one of those, was compiled from, innermost first as in
  // LinesByAddress; empty if the debug information does not tell. A function that it does not name,
  // as those in assembly, has the name of its symbol. Throws Error(UnusableInput) when it is
  // damaged.
  [[nodiscard]] std::vector<SourceLine> find(GuestVirtual address);

 private:
  struct Unit;
  struct Range;

  void open(std::span<const GuestVirtual> addresses);
  [[nodiscard]] bool open_some(std::span<const GuestVirtual> addresses);
  void open_all();
  void index_units();
  [[nodiscard]] Unit* find_unit(GuestVirtual address);
  [[nodiscard]] std::vector<SourceLine> find_in_units(GuestVirtual address);

  ElfImage image_;
  Budget steps_;          // through entries and ranges
  bool has_all_ = false;  // whether the following are of all units
  std::unique_ptr<DwarfFile> dwarf_;
  std::vector<Unit> units_;
  std::vector<Range> ranges_;  // of these, by where they begin
};

}  // namespace photon_dmesg
