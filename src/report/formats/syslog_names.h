#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// Names as dmesg(1) prints them: "kern", "user", ... "local7"; a number without a name as digits.
[[nodiscard]] std::string facility_name(std::uint8_t facility);

[[nodiscard]] bool has_facility_name(std::uint8_t facility);

// "emerg" to "debug".
[[nodiscard]] std::string level_name(std::uint8_t level);

// The number of such a name, in upper or lower case, or of digits that have one; nothing if there
// is none. Levels may also be spelled "error" and "warning".
[[nodiscard]] std::optional<std::uint8_t> facility_number(std::string_view name);
[[nodiscard]] std::optional<std::uint8_t> level_number(std::string_view name);

// syslog(3)'s priority: facility * 8 + level.
[[nodiscard]] unsigned priority(const LogRecord& record);

}  // namespace photon_dmesg
