#pragma once

#include <cstdint>
#include <string>

namespace photon_dmesg {

// How text output says when a record was logged, as the options of dmesg(1).
enum class TimeFormat {
  SinceBoot,  // "[    1.234567] "
  Ctime,      // "[Mon Nov 23 17:00:00 2026] ", local time (-T)
  Iso,        // "2026-11-23T17:00:00,123456+00:00 ", local time (--time-format iso)
};

// What stands before a record's text. `realtime_offset_nsec` turns `ts_nsec` into nanoseconds since
// 1970, UTC; only SinceBoot does without. The time zone is that of the environment (TZ).
[[nodiscard]] std::string time_prefix(std::uint64_t ts_nsec, TimeFormat format,
                                      std::int64_t realtime_offset_nsec);

// "2026-11-23T17:00:00.123456Z" for nanoseconds since 1970.
[[nodiscard]] std::string utc_time(std::int64_t nsec);

}  // namespace photon_dmesg
