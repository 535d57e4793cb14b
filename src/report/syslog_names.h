#pragma once

#include <cstdint>
#include <string>

#include "kernel/log_record.h"

namespace photon_dmesg {

// Names as dmesg(1) prints them: "kern", "user", ... "local7"; a number without a name as digits.
[[nodiscard]] std::string facility_name(std::uint8_t facility);

// "emerg" to "debug".
[[nodiscard]] std::string level_name(std::uint8_t level);

// syslog(3)'s priority: facility * 8 + level.
[[nodiscard]] unsigned priority(const LogRecord& record);

}  // namespace photon_dmesg
