#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace photon_dmesg {

// How the sections of a vmlinux are recognised by what they begin with, or end with, where nothing
// says where they lie. `bytes` may be fewer than needed, at the file's end: then there is no mark.

// Lengths that are no larger are believed.
inline constexpr std::uint32_t longest_unit = 64 * 1024 * 1024;

// How many bytes tell any header of debug information.
inline constexpr std::size_t section_mark_bytes = 12;

// A header of .debug_aranges (DWARF 5, 6.1.2).
struct ArangesHeader {
  std::uint64_t size = 0;  // of the set that it begins
  std::uint64_t unit = 0;  // offset in .debug_info
};
[[nodiscard]] std::optional<ArangesHeader> parse_aranges_header(std::span<const std::byte> bytes);

// The first of them: of the first unit, and with a range in it.
[[nodiscard]] bool is_first_aranges_header(std::span<const std::byte> bytes);

// A header of .debug_info (DWARF 5, 7.5.1).
struct UnitHeader {
  std::uint64_t size = 0;               // of the unit that it begins
  std::uint64_t abbreviations = 0;      // offset in .debug_abbrev
  std::size_t abbreviations_place = 0;  // where that offset stands in the header: 4 bytes
};
[[nodiscard]] std::optional<UnitHeader> parse_unit_header(std::span<const std::byte> bytes);

// The size of the line program of .debug_line that begins here, if one does.
[[nodiscard]] std::optional<std::uint64_t> find_line_program(std::span<const std::byte> bytes);

// Whether .debug_frame begins here.
[[nodiscard]] bool is_first_frame(std::span<const std::byte> bytes);

// The size of the entry of .debug_frame that begins here, `offset` behind the section's beginning,
// if one does.
[[nodiscard]] std::optional<std::uint64_t> find_frame(std::span<const std::byte> bytes,
                                                      std::uint64_t offset);

// The most zeros one behind the other, in .debug_str.
inline constexpr std::size_t most_zeros = 3;

// How many of `bytes` are text; of the zeros at its end, which may be the next section's, only
// the one that ends a string.
[[nodiscard]] std::size_t count_text_bytes(std::span<const std::byte> bytes);

// Where in `bytes`, which are aligned to 8, a symbol table begins: with an empty symbol and those
// of the sections. The size of `bytes` if it does nowhere.
[[nodiscard]] std::size_t find_symbol_table(std::span<const std::byte> bytes);

}  // namespace photon_dmesg
