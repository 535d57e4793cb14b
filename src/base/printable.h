#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace photon_dmesg {

// "\xNN" for one byte, lower-case digits, as dmesg(1) and /dev/kmsg write it.
[[nodiscard]] std::string hex_escape(char byte);

// `text` with every byte outside printable ASCII as "\xNN": safe for a terminal whatever it holds.
// Bytes of well-formed UTF-8 outside ASCII stay, except for is_control().
[[nodiscard]] std::string printable(std::string_view text);

// Number of bytes (1 to 4) of the UTF-8 character that `text` begins with, by RFC 3629: no overlong
// forms, no surrogates, nothing above U+10FFFF. 0 if it does not begin with one.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// The code point of `character`, which is one character of UTF-8.
[[nodiscard]] char32_t code_point(std::string_view character);

// Whether `character`, one of UTF-8, steers a terminal, ends a line for readers that honour Unicode
// (U+0085, U+2028, U+2029), or turns the direction in which text is shown, so that it seems to say
// something else (Unicode Standard Annex 9: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+2069).
[[nodiscard]] bool is_control(std::string_view character);

}  // namespace photon_dmesg
