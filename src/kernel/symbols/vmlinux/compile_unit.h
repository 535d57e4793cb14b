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

// A small ELF file in memory whose debug information is a few compile units of `image`: those that
// the functions at `addresses` (as linked) are in, each once, in that order. It spares libdw some
// hundred megabytes of other units. A unit that can't be told by .debug_aranges is left out;
// nothing if none is left, or with compressed sections.
[[nodiscard]] std::optional<std::vector<std::byte>> extract_compile_units(
    const ElfImage& image, std::span<const GuestVirtual> addresses);

// The sections, beside .debug_info, that a unit may refer to.
inline constexpr std::array<std::string_view, 6> unit_sections = {
    ".debug_abbrev", ".debug_str",         ".debug_line_str",
    ".debug_addr",   ".debug_str_offsets", ".debug_types"};

// Where in .debug_info the unit begins that covers `address`, by the table .debug_aranges (DWARF 5,
// 6.1.2). Nothing if no unit does or the table is damaged.
[[nodiscard]] std::optional<std::uint64_t> find_unit_offset(const ByteSource& aranges,
                                                            GuestVirtual address);

}  // namespace photon_dmesg
