#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// What stands before the text of a line of a kernel's log that somebody printed.
struct LinePrefix {
  std::optional<std::uint64_t> ts_nsec;
  std::optional<LogCaller> caller;
  std::optional<std::uint8_t> facility;
  std::optional<std::uint8_t> level;
};

// Takes it off `text`, in whatever order: "<4>", "[   50.123456]", "[T123]", "[    C1]",
// "kern  :warn  : " (dmesg -x), "** 12 printk messages dropped **"; and what is no time since boot
// and is left out: "[Sun Nov 29 01:50:12 2026]" (dmesg -T), "[Nov29 01:50]" and "[  +0.000012]"
// (-e, -H), "<    0.000012>" within brackets (-d). Blanks in front of the text stay.
[[nodiscard]] LinePrefix take_line_prefix(std::string_view& text);

// The number of syslog(3) for "kern" or "warn"; nothing if there is none of that name.
[[nodiscard]] std::optional<std::uint8_t> facility_called(std::string_view name);
[[nodiscard]] std::optional<std::uint8_t> level_called(std::string_view name);

// Where within a line a further one begins, with its time, "login: [   50.123456] text": what
// others wrote to the same console did not end its line. npos if it is one line.
[[nodiscard]] std::size_t find_inner_line(std::string_view text);

}  // namespace photon_dmesg
