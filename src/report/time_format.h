#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "report/clock_history.h"
#include "report/text_style.h"

namespace photon_dmesg {

// Writes what stands before each record's text to say when it was logged, as dmesg(1) does: in
// microseconds, cut and not rounded. The time zone is that of the environment (TZ).
class TimePrefixes {
 public:
  // Without `clock`, formats that need it become SinceBoot; and so do those that show the time of
  // day for a record whose time of day can't be told.
  TimePrefixes(std::vector<TimeFormat> formats, std::optional<ClockHistory> clock);

  struct Prefix {
    std::string text;
    std::size_t indent = 0;     // of further lines: dmesg counts the last format alone
    bool minute_break = false;  // a new minute of Reltime
  };

  // Of a record with that time stamp, the one before it at `previous_usec` since boot (0: none).
  [[nodiscard]] Prefix next(std::uint64_t ts_nsec, std::uint64_t previous_usec);

  // What dmesg -p puts before the further lines of the same record instead; nothing: the same.
  [[nodiscard]] std::optional<std::string> repeated() const;

 private:
  [[nodiscard]] std::string one(TimeFormat format, std::uint64_t ts_nsec, double delta,
                                bool& minute_break);
  // Microseconds since 1970; nothing if that can't be told.
  [[nodiscard]] std::optional<std::int64_t> time_of_day(std::uint64_t ts_nsec) const;
  [[nodiscard]] std::string by_time_of_day(TimeFormat format, std::int64_t time_usec, double delta,
                                           bool& minute_break);
  [[nodiscard]] std::string reltime(std::int64_t time_usec, double delta, bool& minute_break);

  std::vector<TimeFormat> formats_;
  std::optional<ClockHistory> clock_;
  std::tm last_minute_{};  // when Reltime printed a record last
};

// The microseconds that every format prints of nanoseconds since 1970: cut, not rounded, as dmesg.
[[nodiscard]] std::int64_t whole_usec(std::int64_t nsec);

// "3 min 12 s", "2 h 5 min", "0.250 s": the two largest units, or milliseconds below a minute.
[[nodiscard]] std::string duration(std::int64_t usec);

// "2026-11-23T17:00:00.123456Z" for nanoseconds since 1970.
[[nodiscard]] std::string utc_time(std::int64_t nsec);

// The same of many times, of which most share their second with the one before.
class UtcTimes {
 public:
  [[nodiscard]] std::string text(std::int64_t nsec);

 private:
  std::int64_t second_ = 0;
  std::string second_text_;  // empty: none yet
};

}  // namespace photon_dmesg
