#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// What dmesg(1) colors, and how (sys-utils/dmesg.c, the defaults of its color scheme).
namespace photon_dmesg::colors {

inline constexpr std::string_view reset = "\x1b[0m";
inline constexpr std::string_view subsystem = "\x1b[33m";          // brown
inline constexpr std::string_view time = "\x1b[32m";               // green
inline constexpr std::string_view time_break = "\x1b[32m\x1b[1m";  // green, bold

// Of a text without its subsystem; empty: none.
[[nodiscard]] std::string_view of_text(std::uint8_t level, std::string_view text);

// How much of the beginning of `text` names what it is about ("usb 1-1: "); 0: nothing does.
[[nodiscard]] std::size_t subsystem_length(std::string_view text);

}  // namespace photon_dmesg::colors
