#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace photon_dmesg {

// A point in time as --since and --until take it, as dmesg(1) and systemd.time(7) do: "now",
// "today", "yesterday", "tomorrow", "2026-11-23 17:00:30", "2026-11-23T17:00", "26-11-23", "17:00",
// "20261123170030", any of these behind a day of the week; "@1764000000" seconds since 1970;
// "+5min", "-2h 30min", "1 hour ago" from `now_usec` on, cut to a second. Local time, in the zone
// of the environment (TZ), unless a date or time of day ends in its own: "Z", "UTC", "+02:00",
// "-0530", "+01". Both numbers are microseconds since 1970, UTC; nothing if `text` is no time.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now_usec);

}  // namespace photon_dmesg
