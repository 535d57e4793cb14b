#include "report/time_format.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

namespace photon_dmesg::test {
namespace {

constexpr std::int64_t offset = 1'795'455'252'404'972'809;  // 2026-11-23 17:34:12 UTC

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

}  // namespace

TEST_CASE("time: since boot needs no clock") {
  CHECK(time_prefix(1'234'567'891, TimeFormat::SinceBoot, 0) == "[    1.234567] ");
}

TEST_CASE("time: the time of day is local, in the zone of the environment") {
  SECTION("UTC") {
    const TimeZone zone("UTC0");
    CHECK(time_prefix(0, TimeFormat::Ctime, offset) == "[Mon Nov 23 17:34:12 2026] ");
    CHECK(time_prefix(0, TimeFormat::Iso, offset) == "2026-11-23T17:34:12,404972+00:00 ");
  }
  SECTION("west of Greenwich, with half an hour") {
    const TimeZone zone("NST3:30");
    CHECK(time_prefix(0, TimeFormat::Ctime, offset) == "[Mon Nov 23 14:04:12 2026] ");
    CHECK(time_prefix(0, TimeFormat::Iso, offset) == "2026-11-23T14:04:12,404972-03:30 ");
  }
  SECTION("the day has one digit") {
    const TimeZone zone("UTC0");
    CHECK(time_prefix(0, TimeFormat::Ctime, 0) == "[Thu Jan  1 00:00:00 1970] ");
  }
}

TEST_CASE("time: the record's time is added in full, and microseconds are cut") {
  const TimeZone zone("UTC0");
  CHECK(time_prefix(595'027'999, TimeFormat::Iso, offset) == "2026-11-23T17:34:13,000000+00:00 ");
  CHECK(utc_time(offset) == "2026-11-23T17:34:12.404972Z");
  CHECK(utc_time(-1) == "1969-12-31T23:59:59.999999Z");
}

}  // namespace photon_dmesg::test
