#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace photon_dmesg {

// A unit's table of abbreviations (DWARF 5, 7.5.3), by which its entries are written.
struct Abbreviations {
  std::size_t size = 0;  // bytes
  bool imports = false;  // whether an entry may be a DW_TAG_imported_unit
};

// The table that `bytes` begin with; nothing if it does not end in them.
[[nodiscard]] std::optional<Abbreviations> parse_abbreviations(std::span<const std::byte> bytes);

}  // namespace photon_dmesg
