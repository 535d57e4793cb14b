#include "report/time_format.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace photon_dmesg {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
constexpr std::int64_t nanoseconds_per_microsecond = 1'000;

// Seconds since 1970 and the microseconds behind them, also before 1970.
struct Instant {
  std::time_t seconds = 0;
  std::int64_t microseconds = 0;
};

Instant split(std::int64_t nsec) {
  std::int64_t seconds = nsec / nanoseconds_per_second;
  std::int64_t rest = nsec % nanoseconds_per_second;
  if (rest < 0) {
    rest += nanoseconds_per_second;
    --seconds;
  }
  return {static_cast<std::time_t>(seconds), rest / nanoseconds_per_microsecond};
}

std::string format_time(const char* format, const std::tm& time) {
  std::array<char, 128> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

std::string since_boot(std::uint64_t ts_nsec) {
  constexpr std::uint64_t second = nanoseconds_per_second;
  return fmt::format("[{:5}.{:06}] ", ts_nsec / second,
                     ts_nsec % second / nanoseconds_per_microsecond);
}

}  // namespace

std::string time_prefix(std::uint64_t ts_nsec, TimeFormat format,
                        std::int64_t realtime_offset_nsec) {
  if (format == TimeFormat::SinceBoot) {
    return since_boot(ts_nsec);
  }
  const Instant instant =
      split(static_cast<std::int64_t>(ts_nsec + static_cast<std::uint64_t>(realtime_offset_nsec)));
  std::tm local{};
  localtime_r(&instant.seconds, &local);
  if (format == TimeFormat::Ctime) {
    return format_time("[%a %b %e %H:%M:%S %Y] ", local);
  }
  const std::string zone = format_time("%z", local);  // "+0100"
  return fmt::format("{},{:06}{:.3}:{} ", format_time("%Y-%m-%dT%H:%M:%S", local),
                     instant.microseconds, zone, zone.substr(zone.size() - 2));
}

std::string utc_time(std::int64_t nsec) {
  const Instant instant = split(nsec);
  std::tm utc{};
  gmtime_r(&instant.seconds, &utc);
  return fmt::format("{}.{:06}Z", format_time("%Y-%m-%dT%H:%M:%S", utc), instant.microseconds);
}

}  // namespace photon_dmesg
