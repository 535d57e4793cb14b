#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace photon_dmesg {

// A number as VMCOREINFO has it: to the base `base` or, behind "0x", hexadecimal. Nothing unless
// all of `text` is one.
[[nodiscard]] std::optional<std::uint64_t> parse_dump_number(std::string_view text, int base);

}  // namespace photon_dmesg
