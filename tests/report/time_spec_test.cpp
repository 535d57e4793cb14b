#include "report/time_spec.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <string>

namespace photon_dmesg::test {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t now = 1'795'455'252 * second + 404'972;  // Mon 2026-11-23 17:34:12 UTC
constexpr std::int64_t this_second = 1'795'455'252 * second;
constexpr std::int64_t midnight = this_second - (17 * 3600 + 34 * 60 + 12) * second;

}  // namespace

TEST_CASE("time: as dmesg's --since takes it") {
  setenv("TZ", "UTC0", 1);
  tzset();
  const auto check = [](const char* text, std::int64_t expected) {
    CAPTURE(text);
    CHECK(parse_time(text, now) == expected);
  };
  check("now", this_second);
  check(" now ", this_second);
  check("today", midnight);
  check("yesterday", midnight - 86400 * second);
  check("tomorrow", midnight + 86400 * second);
  check("@1000", 1000 * second);
  check("@1000.5", 1000 * second + 500'000);
  check("+5min", this_second + 300 * second);
  check("-5min", this_second - 300 * second);
  check("-5 days", this_second - 5 * 86400 * second);
  check("-1h 30min", this_second - 5400 * second);
  check("-90", this_second - 90 * second);
  check("1 hour ago", this_second - 3600 * second);
  check("1.5h ago", this_second - 5400 * second);
  check("0.29s ago", this_second - 290'000);
  check("250ms ago", this_second - 250'000);
  check("2026-11-23 17:00:30", midnight + (17 * 3600 + 30) * second);
  check("2026-11-23 17:00:30.25", midnight + (17 * 3600 + 30) * second + 250'000);
  check("2026-11-23T17:00:30,25", midnight + (17 * 3600 + 30) * second + 250'000);
  check("2026-11-23T17:00", midnight + 17 * 3600 * second);
  check("2026-11-23 17:00", midnight + 17 * 3600 * second);
  check("26-11-23 17:00", midnight + 17 * 3600 * second);
  check("2026-11-23", midnight);
  check("17:00:30", midnight + (17 * 3600 + 30) * second);
  check("17:00", midnight + 17 * 3600 * second);
  check("20261123170030", midnight + (17 * 3600 + 30) * second);
  check("Mon 2026-11-23", midnight);
  check("monday 2026-11-23 17:00", midnight + 17 * 3600 * second);
}

TEST_CASE("time: a date or a time of day may end in its zone, whatever the environment's is") {
  setenv("TZ", "CET-1", 1);
  tzset();
  const auto check = [](const char* text, std::int64_t expected) {
    CAPTURE(text);
    CHECK(parse_time(text, now) == expected);
  };
  const std::int64_t five = midnight + 17 * 3600 * second;
  for (const char* same :
       {"2026-11-23T17:00:00Z", "2026-11-23 17:00Z", "2026-11-23 17:00:00 UTC", "17:00Z",
        "17:00 UTC", "20261123170000Z", "Mon 2026-11-23 17:00z", "2026-11-23T19:00:00+02:00",
        "19:00+0200", "2026-11-23 12:00:00 -05:00", "2026-11-23 18:00+01", "2026-11-23T22:30+05:30",
        "20261123180000+01", "2026-11-23T17:00:00-00:00"}) {
    check(same, five);
  }
  check("2026-11-23T17:00:00.25Z", five + 250'000);
  check("2026-11-23Z", midnight);
  check("2026-11-23 UTC", midnight);
  // 17:34 UTC is the next day already where the clock is 14 hours ahead.
  check("00:30+14:00", midnight + (10 * 3600 + 30 * 60) * second);
  check("Tue 01:00 +14:00", midnight + 11 * 3600 * second);
  CHECK(parse_time("2026-11-23", now) == midnight - 3600 * second);  // no zone: the environment's
  setenv("TZ", "UTC0", 1);
  tzset();
}

TEST_CASE("time: what is none") {
  for (const char* text : {"",
                           "soon",
                           "-",
                           "+",
                           "-5parsecs",
                           "5",
                           "2026-13-45",
                           "17:00:30x",
                           "@",
                           "1 hour",
                           "Tue 2026-11-23",
                           "17:00:30.",
                           "-1e400",
                           "-999999999999999y",
                           "Z",
                           "UTC",
                           "+02:00",
                           "soon Z",
                           "17:00+15",
                           "17:00+02:60",
                           "17:00+2",
                           "17:00+02:00Z",
                           "2026-11-23 17:00 CET",
                           "5 min ago Z",
                           "-1.5.5h",
                           "-.h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text, now));
  }
  const std::string digits(400, '9');
  CHECK_FALSE(parse_time("-" + digits + "s", now));
  CHECK_FALSE(parse_time("-" + digits + "." + digits + "s", now));
}

TEST_CASE("time: local, in the zone of the environment") {
  setenv("TZ", "CET-1", 1);
  tzset();
  CHECK(parse_time("17:00", now) == midnight + 16 * 3600 * second);
  setenv("TZ", "UTC0", 1);
  tzset();
}

}  // namespace photon_dmesg::test
