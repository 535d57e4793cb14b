#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// The sections, beside .debug_info, that a unit's types may refer to.
inline constexpr std::array<std::string_view, 6> unit_sections = {
    ".debug_abbrev", ".debug_str",         ".debug_line_str",
    ".debug_addr",   ".debug_str_offsets", ".debug_types"};

// And those that its code may.
inline constexpr std::array<std::string_view, 9> code_sections = {
    ".debug_abbrev", ".debug_str",  ".debug_line_str", ".debug_addr",    ".debug_str_offsets",
    ".debug_types",  ".debug_line", ".debug_ranges",   ".debug_rnglists"};

// A few compile units of an image, and what they refer to.
struct CompileUnits {
  struct Section {
    std::string_view name;             // one of those that were asked for
    std::span<const std::byte> bytes;  // of the image, which must outlive this
  };

  std::vector<std::byte> info;  // their .debug_info, one behind the other
  std::vector<Section> sections;
  bool may_import = false;  // whether there may be a DW_TAG_imported_unit in them
};

// The units of `image` that the code at `addresses` (as linked) is in, each once, in that order,
// with `sections`. It spares libdw some hundred megabytes of other units: of the abbreviations,
// only those of these units are read. A unit that can't be told by .debug_aranges is left out;
// nothing if none is left, or with compressed sections.
[[nodiscard]] std::optional<CompileUnits> extract_compile_units(
    const ElfImage& image, std::span<const GuestVirtual> addresses,
    std::span<const std::string_view> sections = unit_sections);

// A part of a unit's code.
struct UnitRange {
  GuestVirtual begin;
  std::uint64_t size = 0;  // bytes
  std::uint64_t unit = 0;  // where in .debug_info it begins
};

// What the table .debug_aranges (DWARF 5, 6.1.2) holds, as far as it is not damaged.
[[nodiscard]] std::vector<UnitRange> read_unit_ranges(const ByteSource& aranges);

// Where in .debug_info the unit begins that covers `address`, by that table. Nothing if no unit
// does.
[[nodiscard]] std::optional<std::uint64_t> find_unit_offset(const ByteSource& aranges,
                                                            GuestVirtual address);

}  // namespace photon_dmesg
