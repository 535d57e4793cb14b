#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace photon_dmesg {

// "\xNN" for one byte, lower-case digits, as dmesg(1) and /dev/kmsg write it.
[[nodiscard]] std::string hex_escape(char byte);

// `text` with every byte outside printable ASCII as "\xNN": safe for a terminal whatever it holds.
// Bytes of well-formed UTF-8 outside ASCII stay, except for control characters (U+0080..U+009F).
[[nodiscard]] std::string printable(std::string_view text);

// Number of bytes (1 to 4) of the UTF-8 character that `text` begins with, by RFC 3629: no overlong
// forms, no surrogates, nothing above U+10FFFF. 0 if it does not begin with one.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace photon_dmesg
