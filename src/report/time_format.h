#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "kernel/facts/guest_clock.h"
#include "report/text_style.h"

namespace photon_dmesg {

// Writes what stands before each record's text to say when it was logged, as dmesg(1) does: in
// microseconds, cut and not rounded. The time zone is that of the environment (TZ).
class TimePrefixes {
 public:
  // Without `clock`, formats that need it become SinceBoot.
  TimePrefixes(std::vector<TimeFormat> formats, const std::optional<GuestClock>& clock);

  struct Prefix {
    std::string text;
    std::size_t indent = 0;     // of further lines: dmesg counts the last format alone
    bool minute_break = false;  // a new minute of Reltime
  };

  // Of a record logged at `usec` since boot, the one before it at `previous_usec` (0: none).
  [[nodiscard]] Prefix next(std::uint64_t usec, std::uint64_t previous_usec);

  // What dmesg -p puts before the further lines of the same record instead; nothing: the same.
  [[nodiscard]] std::optional<std::string> repeated() const;

 private:
  [[nodiscard]] std::string one(TimeFormat format, std::uint64_t usec, double delta,
                                bool& minute_break);
  [[nodiscard]] std::string reltime(std::uint64_t usec, double delta, bool& minute_break);
  [[nodiscard]] std::tm local_time(std::uint64_t usec) const;

  std::vector<TimeFormat> formats_;
  std::int64_t boot_usec_ = 0;  // since 1970, UTC
  std::int64_t stop_usec_ = 0;  // the same, of when the guest stopped
  std::tm last_minute_{};       // when Reltime printed a record last
};

// "3 min 12 s", "2 h 5 min", "0.250 s": the two largest units, or milliseconds below a minute.
[[nodiscard]] std::string duration(std::int64_t usec);

// "2026-11-23T17:00:00.123456Z" for nanoseconds since 1970.
[[nodiscard]] std::string utc_time(std::int64_t nsec);

}  // namespace photon_dmesg
