#include "report/clock_signs.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace photon_dmesg::test {
namespace {

constexpr std::uint8_t kernel = 0;
constexpr std::uint8_t daemon = 3;

// What the log says with one record, 5 s since boot.
ClockSigns signs_of(const std::string& text, std::uint8_t facility = kernel) {
  LogRecord record;
  record.seq = 7;
  record.ts_nsec = 5'000'000'000;
  record.facility = facility;
  record.text = text;
  ClockSigns signs;
  signs.add(record);
  return signs;
}

std::optional<std::int64_t> reading_of(const std::string& text, std::uint8_t facility = kernel) {
  const ClockSigns signs = signs_of(text, facility);
  if (signs.readings().empty()) return std::nullopt;
  return signs.readings().front().time_of_day;
}

}  // namespace

TEST_CASE("clock signs: the hardware's clock is taken over in the middle of its second") {
  CHECK(reading_of("rtc_cmos 00:04: setting system clock to 2026-11-25T05:04:41 UTC "
                   "(1795583081)") == 1'795'583'081'500'000'000);
  CHECK(reading_of("rtc_cmos rtc_cmos: setting system clock to 2017-01-01 00:00:00 UTC "
                   "(1483228800)") == 1'483'228'800'500'000'000);
}

TEST_CASE("clock signs: audit says the time of day to the millisecond") {
  CHECK(reading_of("audit: type=2000 audit(1795583078.588:1): state=initialized") ==
        1'795'583'078'588'000'000);
}

TEST_CASE("clock signs: of audit's times alone the record may have come much later") {
  CHECK(signs_of("audit: type=2000 audit(1795583078.588:1): state=initialized")
            .readings()
            .front()
            .may_be_old);
  CHECK_FALSE(signs_of("rtc_cmos 00:04: setting system clock to 2026-11-25T05:04:41 UTC "
                       "(1795583081)")
                  .readings()
                  .front()
                  .may_be_old);
}

TEST_CASE("clock signs: what is no time is none, and programs don't log as the kernel") {
  for (const char* text :
       {"setting system clock to 2026", "setting system clock to UTC (x)", "audit: type=1 audit(",
        "audit: type=1 audit(99999999999999999999.1:1)", "audit: type=1 audit(9999999999.1:1)",
        "audit: initializing netlink subsys (disabled)", ""}) {
    CAPTURE(text);
    CHECK_FALSE(reading_of(text));
  }
  CHECK_FALSE(reading_of("audit: type=2000 audit(1795583078.588:1): forged", daemon));
}

TEST_CASE("clock signs: chrony says by how much it set the clock, others that it was set") {
  const auto setting = [](const std::string& text) {
    const ClockSigns signs = signs_of(text, daemon);
    REQUIRE(signs.settings().size() == 1);
    return signs.settings().front();
  };
  CHECK(setting("chronyd[4]: System clock was stepped by -32400.283303 seconds").step ==
        -32'400'283'303'000);
  CHECK(setting("chronyd[4]: System clock was stepped by -0.5 seconds").step == -500'000'000);
  CHECK_FALSE(setting("systemd[1]: System time advanced to built-in epoch: Mon").step);
  CHECK_FALSE(setting("systemd[1]: System time advanced to built-in epoch: Mon").backwards);
  CHECK(setting("systemd-journald[9]: Time jumped backwards, rotating.").backwards);
  CHECK(signs_of("sshd[5]: nothing of the kind", daemon).settings().empty());
}

TEST_CASE("clock signs: a sleep ends where the hardware resumes, once") {
  ClockSigns signs;
  std::uint64_t seconds = 0;
  for (const char* text :
       {"PM: suspend entry (deep)", "ACPI: PM: Low-level resume complete", "PM: suspend exit",
        "PM: suspend entry (s2idle)", "PM: Timekeeping suspended for 4.250 seconds",
        "PM: Timekeeping suspended for 2.500 seconds", "PM: suspend exit", "PM: suspend exit"}) {
    LogRecord record;
    record.ts_nsec = ++seconds * 1'000'000'000;
    record.text = text;
    signs.add(record);
  }
  REQUIRE(signs.wakings().size() == 2);
  CHECK(signs.wakings()[0].ts_nsec == 2'000'000'000);
  CHECK_FALSE(signs.wakings()[0].slept);
  CHECK(signs.wakings()[1].ts_nsec == 5'000'000'000);
  CHECK(signs.wakings()[1].slept == 6'750'000'000);
}

TEST_CASE("clock signs: whether the log has all records since the boot") {
  ClockSigns signs;
  CHECK(signs.has_all());
  LogRecord record;
  signs.add(record);
  record.seq = 1;
  signs.add(record);
  CHECK(signs.has_all());
  record.seq = 3;
  signs.add(record);
  record.seq = 4;
  signs.add(record);
  CHECK_FALSE(signs.has_all());
  CHECK_FALSE(signs_of("Linux version 6.1").has_all());  // record 7
}

TEST_CASE("clock signs: whether printk's clock is stable, and how far ahead it is") {
  const ClockSigns stable =
      signs_of("sched_clock: Marking stable (2156187598, -27107774)->(2845102035, -716022211)");
  CHECK(stable.printk_follows_raw() == true);
  CHECK(stable.printk_ahead_nsec() == -27'107'774);
  const ClockSigns unstable = signs_of("sched_clock: Marking unstable (2156187598, 4711)<-(2, 1)");
  CHECK(unstable.printk_follows_raw() == false);
  CHECK(unstable.printk_ahead_nsec() == 4711);
  CHECK(signs_of("tsc: Marking TSC unstable due to TSCs unsynchronized").printk_follows_raw() ==
        false);
  CHECK_FALSE(signs_of("Linux version 6.1").printk_follows_raw());
}

TEST_CASE("clock signs: readings before the hardware's clock was read are coarse, of any number") {
  ClockSigns signs;
  LogRecord record;
  for (unsigned i = 0; i < 500'000; ++i) {
    record.ts_nsec = i;
    record.text = "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (1795455254)";
    signs.add(record);
  }
  const auto& readings = signs.readings();
  REQUIRE(readings.size() == 500'000);
  CHECK(std::count_if(readings.begin(), readings.end(), [](const ClockSigns::Reading& reading) {
          return reading.coarse;
        }) == 499'999);
  CHECK_FALSE(readings.back().coarse);
}

TEST_CASE("clock signs: how long printk's clock went on in s2idle") {
  ClockSigns signs;
  const auto add = [&signs](std::uint64_t ts_nsec, const char* text) {
    LogRecord record;
    record.ts_nsec = ts_nsec;
    record.text = text;
    signs.add(record);
  };
  add(100, "PM: suspend entry (s2idle)");
  add(400, "PM: suspend exit");
  add(500, "PM: suspend entry (deep)");
  add(900, "PM: suspend exit");
  add(1000, "PM: suspend entry (s2idle)");
  add(900, "PM: suspend exit");
  REQUIRE(signs.wakings().size() == 3);
  CHECK(signs.wakings()[0].idled == 300);
  CHECK_FALSE(signs.wakings()[1].idled);
  CHECK_FALSE(signs.wakings()[2].idled);
}

TEST_CASE("clock signs: a leap second is a setting that only the kernel tells of") {
  const std::string inserted = "Clock: inserting leap second 23:59:60 UTC";
  REQUIRE(signs_of(inserted).settings().size() == 1);
  CHECK(signs_of(inserted).settings()[0].step == -1'000'000'000);
  CHECK(signs_of("Clock: deleting leap second 23:59:59 UTC").settings()[0].step == 1'000'000'000);
  CHECK(signs_of(inserted, daemon).settings().empty());
}

}  // namespace photon_dmesg::test
