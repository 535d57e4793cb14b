#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// What the reader and the writer of a store of symbols agree on. docs/profile.md describes the
// file, byte by byte; a change there takes a new version here.
namespace photon_dmesg::symbol_store {

inline constexpr std::string_view magic = "PHDMSYMS";
inline constexpr std::uint32_t version = 3;  // 1 was JSON: see profile.h

// Offsets in the header.
inline constexpr std::size_t checksum_offset = 8;
inline constexpr std::size_t version_offset = 16;
inline constexpr std::size_t checked_offset = 16;  // the checksum is of all from here on

// The parts of the file, in the order of their places (u32 offset, u32 size) in the header.
enum Section : std::size_t {
  Facts,   // release, origin, banner, build-id
  Names,   // all names in order, each without what it begins with as the one before it does
  Blocks,  // where every 16th name stands, which is there in full
  Flags,   // a byte a symbol
  Values,  // u32 a symbol
  Wide,    // u64 for each address that a value can't hold
  Places,  // u32 for each address that has a symbol, by address: which one
  Types,   // layouts of structures
};
inline constexpr std::size_t section_count = 8;
inline constexpr std::size_t header_bytes = 48 + 8 * section_count;

inline constexpr std::uint32_t names_per_block = 16;
inline constexpr std::size_t escaped_length = 0xff;  // a u16 with the length follows
inline constexpr std::size_t longest_name = 0xffff;
inline constexpr std::uint32_t unknown_text = 0xffffffff;

// Flags of a symbol. An address is its value; or its value and the header's base; or the wide
// address that the value is the number of.
inline constexpr std::uint8_t global_flag = 1;
inline constexpr std::uint8_t based_flag = 2;
inline constexpr std::uint8_t wide_flag = 4;

// Identifies what a store of this version holds: which types were looked for. One that was made
// for others is not complete.
[[nodiscard]] std::uint64_t schema();

}  // namespace photon_dmesg::symbol_store
