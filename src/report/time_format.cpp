#include "report/time_format.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace photon_dmesg {
namespace {

constexpr std::int64_t usec_per_second = 1'000'000;
constexpr std::int64_t nsec_per_usec = 1'000;

std::int64_t floor_divide(std::int64_t number, std::int64_t divisor) {
  return number / divisor - (number % divisor < 0 ? 1 : 0);
}

std::string format_time(const char* format, const std::tm& time) {
  std::array<char, 128> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

std::string seconds(std::uint64_t usec) {
  constexpr std::uint64_t second = usec_per_second;
  return fmt::format(FMT_COMPILE("{:5}.{:06}"), usec / second, usec % second);
}

std::int64_t part_of_second(std::int64_t usec) {
  return usec - floor_divide(usec, usec_per_second) * usec_per_second;
}

std::tm local_time(std::int64_t usec) {
  const std::time_t time = floor_divide(usec, usec_per_second);
  std::tm local{};
  localtime_r(&time, &local);
  return local;
}

}  // namespace

TimePrefixes::TimePrefixes(std::vector<TimeFormat> formats, std::optional<ClockHistory> clock)
    : formats_(std::move(formats)), clock_(std::move(clock)) {
  if (clock_) return;
  std::replace_if(formats_.begin(), formats_.end(), needs_clock, TimeFormat::SinceBoot);
  formats_ = combine(formats_);
}

TimePrefixes::Prefix TimePrefixes::next(std::uint64_t ts_nsec, std::uint64_t previous_usec) {
  const std::uint64_t usec = ts_nsec / nsec_per_usec;
  const double delta = previous_usec == 0
                           ? 0
                           : (static_cast<double>(usec) - static_cast<double>(previous_usec)) /
                                 static_cast<double>(usec_per_second);
  Prefix prefix;
  for (const TimeFormat format : formats_) {
    const std::string text = one(format, ts_nsec, delta, prefix.minute_break);
    prefix.indent = text.size();
    prefix.text += text;
  }
  return prefix;
}

std::optional<std::string> TimePrefixes::repeated() const {
  const bool relative =
      std::find(formats_.begin(), formats_.end(), TimeFormat::Reltime) != formats_.end();
  return relative ? std::optional<std::string>("[  +0.000000] ") : std::nullopt;
}

std::string TimePrefixes::one(TimeFormat format, std::uint64_t ts_nsec, double delta,
                              bool& minute_break) {
  const std::uint64_t usec = ts_nsec / nsec_per_usec;
  if (shows_time_of_day(format)) {
    const std::optional<std::int64_t> time = time_of_day(ts_nsec);
    if (time) return by_time_of_day(format, *time, delta, minute_break);
    format = TimeFormat::SinceBoot;
  }
  switch (format) {
    case TimeFormat::SinceBoot:
      return '[' + seconds(usec) + "] ";
    case TimeFormat::SinceBootDelta:
      return fmt::format("[{} <{:12.6f}>] ", seconds(usec), delta);
    case TimeFormat::Delta:
      return fmt::format("[<{:12.6f}>] ", delta);
    case TimeFormat::BeforeSuspend: {
      const std::int64_t left = clock_ ? whole_usec(clock_->before_stop(ts_nsec)) : 0;
      return fmt::format("[{:>12} before suspend] ", duration(std::max<std::int64_t>(left, 0)));
    }
    default:
      return "";
  }
}

std::string TimePrefixes::by_time_of_day(TimeFormat format, std::int64_t time_usec, double delta,
                                         bool& minute_break) {
  if (format == TimeFormat::Reltime) return reltime(time_usec, delta, minute_break);
  const std::tm local = local_time(time_usec);
  if (format == TimeFormat::Iso) {
    const std::string zone = format_time("%z", local);  // "+0100"
    return fmt::format("{},{:06}{:.3}:{} ", format_time("%Y-%m-%dT%H:%M:%S", local),
                       part_of_second(time_usec), zone, zone.substr(zone.size() - 2));
  }
  const std::string time = format_time("%a %b %e %H:%M:%S %Y", local);
  return format == TimeFormat::CtimeDelta ? fmt::format("[{} <{:12.6f}>] ", time, delta)
                                          : fmt::format("[{}] ", time);
}

std::optional<std::int64_t> TimePrefixes::time_of_day(std::uint64_t ts_nsec) const {
  const std::optional<std::int64_t> time = clock_ ? clock_->time_of_day(ts_nsec) : std::nullopt;
  return time ? std::optional(whole_usec(*time)) : std::nullopt;
}

std::string TimePrefixes::reltime(std::int64_t time_usec, double delta, bool& minute_break) {
  const std::tm local = local_time(time_usec);
  const bool same_minute = local.tm_min == last_minute_.tm_min &&
                           local.tm_hour == last_minute_.tm_hour &&
                           local.tm_yday == last_minute_.tm_yday;
  last_minute_ = local;
  if (!same_minute) {
    minute_break = true;
    return fmt::format("[{}] ", format_time("%b%e %H:%M", local));
  }
  constexpr double wide = 10;  // seconds
  return delta < wide ? fmt::format("[  {:+8.6f}] ", delta) : fmt::format("[ {:+9.6f}] ", delta);
}

std::string duration(std::int64_t usec) {
  struct Unit {
    const char* name;
    std::int64_t seconds;
  };
  constexpr std::array units = {Unit{"d", 86400}, Unit{"h", 3600}, Unit{"min", 60}, Unit{"s", 1}};
  const std::int64_t whole = usec / usec_per_second;
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    if (whole >= units[i].seconds) {
      return fmt::format("{} {} {} {}", whole / units[i].seconds, units[i].name,
                         whole % units[i].seconds / units[i + 1].seconds, units[i + 1].name);
    }
  }
  constexpr std::int64_t usec_per_millisecond = 1000;
  return fmt::format("{}.{:03} s", whole, usec % usec_per_second / usec_per_millisecond);
}

std::int64_t whole_usec(std::int64_t nsec) {
  return floor_divide(nsec, nsec_per_usec);
}

std::string utc_time(std::int64_t nsec) {
  return UtcTimes().text(nsec);
}

std::string UtcTimes::text(std::int64_t nsec) {
  const std::int64_t usec = whole_usec(nsec);
  const std::int64_t second = floor_divide(usec, usec_per_second);
  if (second_text_.empty() || second != second_) {
    const std::time_t time = second;
    std::tm utc{};
    gmtime_r(&time, &utc);
    second_text_ = format_time("%Y-%m-%dT%H:%M:%S", utc);
    second_ = second;
  }
  return fmt::format("{}.{:06}Z", second_text_, part_of_second(usec));
}

}  // namespace photon_dmesg
