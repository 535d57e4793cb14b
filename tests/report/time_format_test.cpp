#include "report/time_format.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <vector>

namespace photon_dmesg::test {
namespace {

constexpr std::int64_t offset = 1'795'455'252'404'972'809;  // 2026-11-23 17:34:12 UTC
constexpr std::int64_t second = 1'000'000;                  // microseconds

// The time zone for one test.
class TimeZone {
 public:
  explicit TimeZone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~TimeZone() {
    unsetenv("TZ");
    tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
};

std::optional<ClockHistory> clock_of(std::int64_t boot, std::int64_t uptime_usec = 0) {
  return GuestClock{boot, boot + uptime_usec * 1000};
}

std::string prefix(TimeFormat format, std::uint64_t usec, std::uint64_t previous_usec = 0,
                   const std::optional<ClockHistory>& clock = clock_of(offset, 600 * second)) {
  return TimePrefixes({format}, clock).next(usec * 1000, previous_usec).text;
}

using Formats = std::vector<TimeFormat>;

}  // namespace

TEST_CASE("time: since boot needs no clock, and stands in for what does") {
  CHECK(prefix(TimeFormat::SinceBoot, 1'234'567, 0, std::nullopt) == "[    1.234567] ");
  for (const TimeFormat format : {TimeFormat::Ctime, TimeFormat::Iso, TimeFormat::Reltime,
                                  TimeFormat::CtimeDelta, TimeFormat::BeforeSuspend}) {
    CHECK(prefix(format, 1'234'567, 0, std::nullopt) == "[    1.234567] ");
  }
}

TEST_CASE("time: the time of day is local, in the zone of the environment") {
  SECTION("UTC") {
    const TimeZone zone("UTC0");
    CHECK(prefix(TimeFormat::Ctime, 0) == "[Mon Nov 23 17:34:12 2026] ");
    CHECK(prefix(TimeFormat::Iso, 0) == "2026-11-23T17:34:12,404972+00:00 ");
  }
  SECTION("west of Greenwich, with half an hour") {
    const TimeZone zone("NST3:30");
    CHECK(prefix(TimeFormat::Ctime, 0) == "[Mon Nov 23 14:04:12 2026] ");
    CHECK(prefix(TimeFormat::Iso, 0) == "2026-11-23T14:04:12,404972-03:30 ");
  }
  SECTION("the day has one digit") {
    const TimeZone zone("UTC0");
    CHECK(prefix(TimeFormat::Ctime, 0, 0, clock_of(0)) == "[Thu Jan  1 00:00:00 1970] ");
  }
}

TEST_CASE("time: the record's time is added in full, in microseconds") {
  const TimeZone zone("UTC0");
  CHECK(prefix(TimeFormat::Iso, 595'028) == "2026-11-23T17:34:13,000000+00:00 ");
  CHECK(utc_time(offset) == "2026-11-23T17:34:12.404972Z");
  CHECK(utc_time(-1) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("time: cut alike in every format, whichever of both parts has the rest") {
  const TimeZone zone("UTC0");
  TimePrefixes times({TimeFormat::Iso}, clock_of(offset));  // ...404'972'809 ns
  CHECK(times.next(1191, 0).text == "2026-11-23T17:34:12,404973+00:00 ");
  CHECK(utc_time(ClockHistory({offset, offset}).time_of_day(1191).value()) ==
        "2026-11-23T17:34:12.404973Z");
}

TEST_CASE("time: since boot where the time of day can't be told") {
  const TimeZone utc("UTC0");
  TimePrefixes prefixes({TimeFormat::Iso}, clock_of(offset, 600 * second));
  CHECK(prefixes.next(UINT64_MAX, 0).text == "[18446744073.709551] ");
  CHECK(prefixes.next(0, 0).text == "2026-11-23T17:34:12,404972+00:00 ");
}

TEST_CASE("time: differences are to the record before, the first has none") {
  CHECK(prefix(TimeFormat::SinceBootDelta, 2'500'000, 1'000'000) ==
        "[    2.500000 <    1.500000>] ");
  CHECK(prefix(TimeFormat::Delta, 2'500'000, 1'000'000) == "[<    1.500000>] ");
  CHECK(prefix(TimeFormat::Delta, 2'500'000) == "[<    0.000000>] ");
  CHECK(prefix(TimeFormat::Delta, 1'000'000, 2'500'000) == "[<   -1.500000>] ");
  const TimeZone zone("UTC0");
  CHECK(prefix(TimeFormat::CtimeDelta, 2'500'000, 1'000'000) ==
        "[Mon Nov 23 17:34:14 2026 <    1.500000>] ");
}

TEST_CASE("time: -e says the minute once, then how much later each record is") {
  const TimeZone zone("UTC0");
  TimePrefixes times({TimeFormat::Reltime}, clock_of(offset));
  const auto check = [&](std::uint64_t usec, std::uint64_t before, const char* text, bool breaks) {
    const TimePrefixes::Prefix prefix = times.next(usec * 1000, before);
    CHECK(prefix.text == text);
    CHECK(prefix.minute_break == breaks);
  };
  check(0, 0, "[Nov23 17:34] ", true);
  check(1'500'000, 0, "[  +0.000000] ", false);  // dmesg takes 0 for no time
  check(3'000'000, 1'500'000, "[  +1.500000] ", false);
  check(15'000'000, 3'000'000, "[ +12.000000] ", false);
  check(60'000'000, 15'000'000, "[Nov23 17:35] ", true);
  CHECK(times.repeated() == "[  +0.000000] ");
  CHECK_FALSE(TimePrefixes({TimeFormat::Ctime}, clock_of(offset)).repeated());
}

TEST_CASE("time: before the suspend, in two units") {
  const auto at = [](std::int64_t before_stop) {
    return prefix(TimeFormat::BeforeSuspend,
                  static_cast<std::uint64_t>(600 * second - before_stop));
  };
  CHECK(at(192 * second) == "[  3 min 12 s before suspend] ");
  CHECK(at(600 * second) == "[  10 min 0 s before suspend] ");
  CHECK(at(1'250'000) == "[     1.250 s before suspend] ");
  CHECK(at(0) == "[     0.000 s before suspend] ");
  CHECK(at(-5) == "[     0.000 s before suspend] ");  // behind the last tick of the clock
  CHECK(duration(7500 * second) == "2 h 5 min");
  CHECK(duration(90000 * second) == "1 d 1 h");
  CHECK(duration(59'999'999) == "59.999 s");
}

TEST_CASE("time: several formats stand one behind the other") {
  const TimeZone zone("UTC0");
  TimePrefixes times({TimeFormat::Ctime, TimeFormat::SinceBoot}, clock_of(offset));
  const TimePrefixes::Prefix prefix = times.next(0, 0);
  CHECK(prefix.text == "[Mon Nov 23 17:34:12 2026] [    0.000000] ");
  CHECK(prefix.indent == std::string("[    0.000000] ").size());
}

TEST_CASE("time formats: combined as dmesg does") {
  using F = TimeFormat;
  CHECK(combine({}) == Formats{F::SinceBoot});
  CHECK(combine({F::Ctime, F::Iso, F::Ctime}) == Formats{F::Ctime, F::Iso});
  CHECK(combine({F::Ctime, F::None}) == Formats{F::None});
  CHECK(combine({F::Delta}) == Formats{F::Delta});
  CHECK(combine({F::Ctime, F::Delta}) == Formats{F::CtimeDelta});
  CHECK(combine({F::SinceBoot, F::Delta}) == Formats{F::SinceBootDelta});
  CHECK(combine({}, true) == Formats{F::SinceBootDelta});
  CHECK(combine({F::None}, true) == Formats{F::Delta});
  CHECK(combine({F::Delta}, true) == Formats{F::Delta});
  CHECK(combine({F::Ctime}, true) == Formats{F::CtimeDelta});
  CHECK(combine({F::Reltime}, true) == Formats{F::Reltime, F::Delta});
  CHECK(combine({F::Ctime, F::SinceBoot}, true) == Formats{F::Ctime, F::SinceBootDelta});
}

}  // namespace photon_dmesg::test
