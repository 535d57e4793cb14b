#include "report/clock_history.h"

#include <catch2/catch.hpp>
#include <string>

namespace photon_dmesg::test {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t boot = 1'795'455'252 * second;
constexpr std::int64_t hour = 3600 * second;

constexpr std::uint8_t kernel = 0;
constexpr std::uint8_t daemon = 3;

// A log of such records, complete or from record 9 on.
class Log {
 public:
  explicit Log(std::uint64_t first_seq = 0) : seq_(first_seq) {
    add(0, "Linux version 6.1", kernel);
  }

  Log& add(std::int64_t seconds, const std::string& text, std::uint8_t facility) {
    LogRecord record;
    record.seq = seq_++;
    record.ts_nsec = static_cast<std::uint64_t>(seconds * second);
    record.facility = facility;
    record.text = text;
    signs_.add(record);
    return *this;
  }
  Log& kernel_says(std::int64_t seconds, const std::string& text) {
    return add(seconds, text, kernel);
  }
  Log& program_says(std::int64_t seconds, const std::string& text) {
    return add(seconds, text, daemon);
  }

  [[nodiscard]] const ClockSigns& signs() const { return signs_; }

 private:
  std::uint64_t seq_;
  ClockSigns signs_;
};

// Up for 1000 s.
GuestClock clock_at(std::int64_t offset = boot) {
  GuestClock clock{offset, offset + 1000 * second};
  clock.raw_nsec = 1000 * second;
  clock.sleep_nsec = 0;
  return clock;
}

std::int64_t time_at(const ClockHistory& history, std::int64_t seconds) {
  return history.time_of_day(static_cast<std::uint64_t>(seconds * second)).value();
}

std::string audit(std::int64_t time) {
  return "audit: type=1130 audit(" + std::to_string(time / second) + ".000:1): pid=1";
}

}  // namespace

TEST_CASE("clock history: a clock that nobody touched goes evenly from the boot to the stop") {
  const ClockHistory history(clock_at(), Log().signs());
  CHECK(time_at(history, 0) == boot);
  CHECK(time_at(history, 1000) == boot + 1000 * second);
  CHECK(history.before_stop(990'000'000'000) == 10 * second);
  CHECK(history.offset_at_stop() == boot);
  CHECK(history.drift() == 0);
  CHECK(history.steps().empty());
  CHECK(history.warnings().empty());
}

TEST_CASE("clock history: printk counts by the raw clock, the time of day by a slewed one") {
  GuestClock clock = clock_at();
  clock.raw_nsec = 1010 * second;  // NTP held the time of day back by 10 s
  const ClockHistory history(clock, Log().signs());
  CHECK(history.drift() == 10 * second);
  CHECK(history.before_stop(1005'000'000'000) == 5 * second);
  CHECK(time_at(history, 1010) == boot + 1000 * second);
  CHECK(time_at(history, 505) == boot + 500 * second);
  CHECK(time_at(history, 0) == boot);
}

TEST_CASE("clock history: a clock that is being slewed fast has not been so for long") {
  GuestClock clock = clock_at();
  clock.raw_nsec = 1010 * second;
  clock.slew_rate = 0.1;  // for the last 100 s
  const ClockHistory slow(clock, Log().signs());
  CHECK(time_at(slow, 960) == boot + 955 * second);
  CHECK(time_at(slow, 910) == boot + 910 * second);
  CHECK(time_at(slow, 500) == boot + 500 * second);
  clock.raw_nsec = 990 * second;
  clock.slew_rate = -0.1;
  const Log log = Log().kernel_says(0, "NR_IRQS: 1").kernel_says(0, "Console: ");
  CHECK(time_at(ClockHistory(clock, log.signs()), 940) == boot + 945 * second);
  CHECK(time_at(ClockHistory(clock, log.signs()), 500) == boot + 500 * second);
  clock.slew_rate = 0.1;  // after it was too fast before: nothing tells since when
  CHECK(time_at(ClockHistory(clock, log.signs()), 495) == boot + 500 * second);
}

TEST_CASE("clock history: what rounding makes of two clocks is no drift") {
  GuestClock clock = clock_at();
  clock.raw_nsec = 1000 * second + 1;
  const ClockHistory history(
      clock, Log().kernel_says(0, "NR_IRQS: 1").kernel_says(0, "Console: ").signs());
  CHECK(history.drift() == 0);
  CHECK(time_at(history, 500) == boot + 500 * second);
}

TEST_CASE("clock history: printk counts by the slewed clock where the TSC is unstable") {
  GuestClock clock = clock_at();
  clock.raw_nsec = 1010 * second;
  clock.printk_follows_raw = false;
  const ClockHistory history(clock, Log().signs());
  CHECK(history.before_stop(995'000'000'000) == 5 * second);
  CHECK(time_at(history, 995) == boot + 995 * second);
  const Log log = Log().kernel_says(900, "sched_clock: Marking unstable (899, 0)<-(901, 2)");
  clock.printk_follows_raw = true;
  CHECK_FALSE(ClockHistory(clock, log.signs()).printk_follows_raw());
}

TEST_CASE("clock history: the monotonic clock may have begun at printk's, and the raw one at 0") {
  GuestClock clock = clock_at();
  clock.raw_nsec = 998 * second;
  const Log log = Log().kernel_says(1, "NR_IRQS: 524544").kernel_says(3, "Console: colour");
  CHECK(ClockHistory(clock, log.signs()).drift() == 0);
  clock.raw_nsec = 1005 * second;
  CHECK(ClockHistory(clock, log.signs()).drift() == 6 * second);
  // A log that no longer tells: what is less than a second is taken for that.
  clock.raw_nsec = 1000 * second - second / 2;
  CHECK(ClockHistory(clock, Log(9).signs()).drift() == 0);
  clock.raw_nsec = 990 * second;
  CHECK(ClockHistory(clock, Log(9).signs()).drift() == -9 * second);
}

TEST_CASE("clock history: printk's clock is ahead by what the kernel says") {
  const Log log = Log().kernel_says(1, "sched_clock: Marking stable (1, 2000000000)->(3, 0)");
  const ClockHistory history(clock_at(), log.signs());
  CHECK(time_at(history, 2) == boot);
  CHECK(history.before_stop(1'000'000'000'000) == 2 * second);
  GuestClock clock = clock_at();
  clock.printk_ahead_nsec = 2 * second;
  CHECK(time_at(clock, 2) == boot);
  // Taken anew while the clock was slewed, it has the drift in it.
  clock.raw_nsec = 1010 * second;
  clock.printk_ahead_nsec = 12 * second;
  clock.printk_ahead_is_new = true;
  CHECK(ClockHistory(clock).printk_ahead() == 2 * second);
  CHECK(ClockHistory(clock).before_stop(1'012'000'000'000) == 0);
}

TEST_CASE("clock history: VMware's TSC is nearer to printk's clock than the raw one") {
  GuestClock clock = clock_at();
  clock.raw_nsec = 1010 * second;
  clock.printk_nsec = 1011 * second;
  CHECK(ClockHistory(clock, Log().signs()).before_stop(1000'000'000'000) == 11 * second);
  CHECK(time_at(ClockHistory(clock, Log().signs()), 0) == boot);
  clock.printk_nsec = 2000 * second;  // which can't be
  CHECK(ClockHistory(clock, Log().signs()).before_stop(1000'000'000'000) == 10 * second);
}

TEST_CASE("clock history: records from before a sleep are as much earlier") {
  GuestClock clock = clock_at(boot + hour);
  clock.sleep_nsec = hour;
  const Log log = Log()
                      .kernel_says(500, "PM: suspend entry (deep)")
                      .kernel_says(501, "ACPI: PM: Low-level resume complete")
                      .kernel_says(502, "PM: suspend exit");
  const ClockHistory history(clock, log.signs());
  CHECK(time_at(history, 500) == boot + 500 * second);
  CHECK(time_at(history, 501) == boot + hour + 501 * second);
  CHECK(history.before_stop(500'000'000'000) == 500 * second);
  CHECK(history.uptime() == hour + 1000 * second);
  CHECK(history.warnings().empty());
}

TEST_CASE("clock history: a sleep in which printk's clock went on is no step") {
  GuestClock clock = clock_at(boot + hour);
  clock.sleep_nsec = hour;
  const auto log = [](std::int64_t woke_up, const std::string& how = "(s2idle)") {
    return Log()
        .kernel_says(500, "PM: suspend entry " + how)
        .kernel_says(woke_up, "PM: suspend exit");
  };
  const ClockHistory history(clock, log(4102).signs());
  CHECK(history.steps().empty());
  CHECK(history.warnings().empty());
  CHECK(time_at(history, 0) == boot);
  CHECK(time_at(history, 500) == boot + 500 * second);
  CHECK(time_at(history, 4102) == boot + 4102 * second);
  CHECK(history.before_stop(4'600'000'000'000) == 0);
  CHECK(history.monotonic(500'000'000'000) == 500 * second);
  CHECK(history.monotonic(4'102'000'000'000) == 502 * second);
  CHECK(history.uptime() == hour + 1000 * second);
  // Elsewhere it stands still in s2idle as it does in S3.
  for (const Log& still : {log(502), log(502, "(deep)"), log(4102, "(deep)")}) {
    CHECK(ClockHistory(clock, still.signs()).steps().size() == 1);
  }
}

TEST_CASE("clock history: several sleeps in which printk's clock went on need no lengths") {
  GuestClock clock = clock_at(boot + hour);
  clock.raw_nsec = 1010 * second;
  clock.sleep_nsec = hour;
  Log log;
  log.kernel_says(100, "PM: suspend entry (s2idle)").kernel_says(1900, "PM: suspend exit");
  log.kernel_says(2000, "PM: suspend entry (s2idle)").kernel_says(3800, "PM: suspend exit");
  const ClockHistory history(clock, log.signs());
  CHECK(history.warnings().empty());
  CHECK(history.steps().empty());
  CHECK(time_at(history, 0) == boot);
  CHECK(time_at(history, 4610) == boot + 4600 * second);
  // NTP slewed it by a hundredth while it was awake.
  CHECK(time_at(history, 101) == boot + 100 * second);
  CHECK(time_at(history, 1901) == boot + 1900 * second);
  // What the kernel measured is held against the time stamps, too.
  Log measured;
  measured.kernel_says(100, "PM: suspend entry (s2idle)");
  measured.kernel_says(3701, "PM: Timekeeping suspended for 3600.000 seconds");
  clock.raw_nsec = 1000 * second;
  CHECK(ClockHistory(clock, measured.signs()).steps().empty());
  CHECK(time_at(ClockHistory(clock, measured.signs()), 3701) == boot + 3701 * second);
}

TEST_CASE("clock history: a leap second is a step") {
  const Log log = Log().kernel_says(300, "Clock: inserting leap second 23:59:60 UTC");
  const ClockHistory history(clock_at(boot - second), log.signs());
  CHECK(time_at(history, 299) == boot + 299 * second);
  CHECK(time_at(history, 300) == boot + 299 * second);
}

TEST_CASE("clock history: of several sleeps it is said that their lengths are not known") {
  GuestClock clock = clock_at(boot + hour);
  clock.sleep_nsec = hour;
  Log log;
  log.kernel_says(100, "PM: suspend entry (deep)").kernel_says(101, "PM: suspend exit");
  log.kernel_says(200, "PM: suspend entry (deep)").kernel_says(201, "PM: suspend exit");
  const ClockHistory history(clock, log.signs());
  CHECK(time_at(history, 100) == boot + 100 * second);
  CHECK(time_at(history, 201) == boot + hour + 201 * second);
  REQUIRE(history.warnings().size() == 1);
  CHECK(history.warnings()[0] ==
        "the guest's clock went on during sleep by +3600.000 s between 101.000000 s since boot and "
        "201.000000 s, and the log does not say when: times of day between the two may be off by "
        "as much");
}

TEST_CASE("clock history: a sleep may not be the only one where records are missing") {
  GuestClock clock = clock_at(boot + hour);
  clock.sleep_nsec = hour;
  const Log log =
      Log(9).kernel_says(100, "PM: suspend entry (deep)").kernel_says(101, "PM: suspend exit");
  const ClockHistory history(clock, log.signs());
  CHECK(history.warnings().size() == 1);
  CHECK(time_at(history, 101) == boot + hour + 101 * second);
}

TEST_CASE("clock history: a sleep that nothing in the log tells of is said") {
  GuestClock clock = clock_at(boot + hour);
  clock.sleep_nsec = hour;
  const Log log = Log().kernel_says(500, "usb 1-1: new high-speed USB device");
  const std::vector<std::string> warnings = ClockHistory(clock, log.signs()).warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] ==
        "the guest has slept for 3600.000 s, and nothing in the log says when: times of day before "
        "may be late by as much");
  // What the hardware rounds is no sleep.
  clock.sleep_nsec = second / 2;
  CHECK(ClockHistory(clock, log.signs()).warnings().empty());
}

TEST_CASE("clock history: sleeps that the kernel measured need no guess") {
  GuestClock clock = clock_at(boot + hour);
  clock.sleep_nsec = hour;
  Log log;
  log.kernel_says(100, "PM: suspend entry (deep)");
  log.kernel_says(101, "PM: Timekeeping suspended for 600.000 seconds");
  log.kernel_says(200, "PM: suspend entry (deep)").kernel_says(201, "PM: suspend exit");
  const ClockHistory history(clock, log.signs());
  CHECK(time_at(history, 150) == boot + 750 * second);
  CHECK(time_at(history, 201) == boot + hour + 201 * second);
  CHECK(history.warnings().empty());
}

TEST_CASE("clock history: a step that chrony logged is taken as it says") {
  const Log log =
      Log().program_says(300, "chronyd[4]: System clock was stepped by -3600.000000 seconds");
  const ClockHistory history(clock_at(boot - hour), log.signs());
  CHECK(time_at(history, 299) == boot + 299 * second);
  CHECK(time_at(history, 300) == boot - hour + 300 * second);
  CHECK(history.warnings().empty());
}

TEST_CASE("clock history: no program can say that the clock was where the kernel lets none be") {
  const auto steps_of = [](const std::string& seconds) {
    Log log;
    log.program_says(300, "chronyd[4]: System clock was stepped by " + seconds + " seconds");
    return ClockHistory(clock_at(), log.signs()).steps().size();
  };
  CHECK(steps_of("1800000000.000000") == 0);   // before it: 1969
  CHECK(steps_of("-3900000000.000000") == 0);  // 2150
  CHECK(steps_of("1795000000.000000") == 1);
  CHECK(steps_of("-1000000000.000000") == 1);
  // Of several, each is held against what the later ones leave.
  Log log;
  for (int i = 0; i < 3; ++i) {
    log.program_says(i, "chronyd[4]: System clock was stepped by 1000000000.000000 seconds");
  }
  const ClockHistory history(clock_at(), log.signs());
  REQUIRE(history.steps().size() == 1);
  CHECK(history.steps().front().ts_nsec == 2'000'000'000);
}

TEST_CASE("clock history: what the kernel read shows that no step came that a program told of") {
  const std::string step = "chronyd[4]: System clock was stepped by 5000.000000 seconds";
  const std::string back = "chronyd[4]: System clock was stepped by -5000.000000 seconds";
  const auto read_at_boot = [] {
    return Log().kernel_says(
        2, "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (1795455254)");
  };
  const ClockHistory lie(clock_at(), read_at_boot().program_says(300, step).signs());
  CHECK(lie.steps().empty());
  CHECK(lie.warnings().empty());
  CHECK(time_at(lie, 100) == boot + 100 * second);
  // It also shows that one came, and that two came which make up for each other.
  const ClockHistory true_step(clock_at(boot + 5000 * second),
                               read_at_boot().program_says(300, step).signs());
  CHECK(true_step.steps().size() == 1);
  CHECK(time_at(true_step, 299) == boot + 299 * second);
  const ClockHistory both(clock_at(),
                          read_at_boot().program_says(300, step).program_says(400, back).signs());
  CHECK(time_at(both, 350) == boot + 5350 * second);
  CHECK(time_at(both, 299) == boot + 299 * second);
  // Between two readings that a silent step came before, too.
  const ClockHistory silent(clock_at(boot + hour), read_at_boot()
                                                       .kernel_says(100, audit(boot + 100 * second))
                                                       .program_says(300, step)
                                                       .kernel_says(400, audit(boot + 400 * second))
                                                       .signs());
  CHECK(silent.steps().size() == 1);
  CHECK(time_at(silent, 200) == boot + 200 * second);
}

TEST_CASE("clock history: a time before 1970 or after 2262 is none") {
  const ClockHistory history(clock_at());
  CHECK_FALSE(history.time_of_day((std::uint64_t{1} << 63) + 5));
  CHECK_FALSE(history.time_of_day(UINT64_MAX));
  CHECK_FALSE(history.time_of_day(8'000'000'000'000'000'000));
  CHECK(history.time_of_day(7'000'000'000'000'000'000) == boot + 7'000'000'000 * second);
  CHECK(history.before_stop(UINT64_MAX) == INT64_MIN);
  CHECK(history.nearest_time_of_day(UINT64_MAX) == INT64_MAX);
  CHECK(history.nearest_time_of_day(1) == boot + 1);
  const ClockHistory early(clock_at(-10 * second));
  CHECK(early.boot() == -10 * second);
  CHECK_FALSE(early.time_of_day(9'000'000'000));
  CHECK(early.time_of_day(11'000'000'000) == second);
  CHECK(early.nearest_time_of_day(9'000'000'000) == 0);
}

TEST_CASE(
    "clock history: a clock that counted from 1970 until a driver read the time was not set") {
  const ClockHistory history(clock_at(),
                             Log()
                                 .kernel_says(2,
                                              "rtc-efi rtc-efi.0: setting system clock to "
                                              "2026-11-23T08:14:14 UTC (1795455254)")
                                 .program_says(1, audit(second))
                                 .signs());
  CHECK(time_at(history, 0) == boot);
  CHECK(history.steps().empty());
  CHECK(history.warnings().empty());
}

TEST_CASE("clock history: a step in silence shows where the log says another time of day") {
  Log log;
  log.kernel_says(2,
                  "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (1795455254)");
  log.kernel_says(400, audit(boot + 400 * second));
  log.kernel_says(600, audit(boot + hour + 600 * second));
  const ClockHistory history(clock_at(boot + hour), log.signs());
  CHECK(time_at(history, 400) == boot + 400 * second);
  CHECK(time_at(history, 401) == boot + hour + 401 * second);
  REQUIRE(history.steps().size() == 1);
  CHECK(history.steps()[0].nsec == hour);
  CHECK(history.steps()[0].until_nsec == 600'000'000'000);
  CHECK_FALSE(history.steps()[0].placed);
  CHECK(history.warnings() ==
        std::vector<std::string>{
            "the guest's clock was set by +3600.000 s between 400.000000 s since boot and "
            "600.000000 s, and the log does not say when: times of day between the two may be off "
            "by as much"});
}

TEST_CASE("clock history: a system call that began long before its record was printed is no step") {
  const std::string clock_at_boot =
      "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (1795455254)";
  const auto check_untouched = [](const Log& log) {
    const ClockHistory history(clock_at(), log.signs());
    CHECK(history.steps().empty());
    CHECK(history.warnings().empty());
    CHECK(time_at(history, 100) == boot + 100 * second);
  };
  Log one;
  one.kernel_says(2, clock_at_boot);
  one.kernel_says(300, audit(boot + 300 * second));
  one.kernel_says(400, audit(boot + 380 * second));
  check_untouched(one);
  check_untouched(one.kernel_says(600, audit(boot + 600 * second)));
  // One call has several records, and those of others may be printed with them.
  Log several;
  several.kernel_says(2, clock_at_boot);
  for (const std::int64_t began : {380, 380, 380, 381, 382, 385, 390, 399}) {
    several.kernel_says(400, audit(boot + began * second));
  }
  check_untouched(several);
  // Nor does it keep a forged step from being refuted.
  check_untouched(
      one.program_says(500, "chronyd[4]: System clock was stepped by 5000.000000 seconds"));
}

TEST_CASE("clock history: a step in silence is found where system calls took long, too") {
  Log log;
  log.kernel_says(2,
                  "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (1795455254)");
  log.kernel_says(300, audit(boot + 300 * second));
  log.kernel_says(400, audit(boot + 380 * second));
  log.kernel_says(600, audit(boot + hour + 590 * second));
  log.kernel_says(700, audit(boot + hour + 700 * second));
  const ClockHistory history(clock_at(boot + hour), log.signs());
  REQUIRE(history.steps().size() == 1);
  CHECK(history.steps()[0].nsec == hour);
  CHECK(time_at(history, 300) == boot + 300 * second);
  CHECK(history.steps()[0].until_nsec == 700'000'000'000);
}

TEST_CASE("clock history: a system call that began after its record was printed shows a step") {
  Log log;
  log.kernel_says(300, audit(boot + 300 * second));
  log.kernel_says(400, audit(boot + hour + 400 * second));
  const ClockHistory history(clock_at(), log.signs());
  REQUIRE(history.steps().size() == 2);
  CHECK(time_at(history, 400) == boot + hour + 400 * second);
  CHECK(time_at(history, 300) == boot + 300 * second);
}

TEST_CASE("clock history: a step in silence has its place where somebody noticed it") {
  Log log;
  log.kernel_says(400, audit(boot + 400 * second));
  log.program_says(450, "systemd-journald[9]: Time jumped backwards, rotating.");
  const ClockHistory history(clock_at(boot - hour), log.signs());
  CHECK(time_at(history, 449) == boot + 449 * second);
  CHECK(time_at(history, 450) == boot - hour + 450 * second);
  CHECK(history.warnings().empty());
  // Forwards is not what journald noticed.
  CHECK(ClockHistory(clock_at(boot + hour), log.signs()).warnings().size() == 1);
}

TEST_CASE("clock history: less than a second is no step, nor what the hardware's clock lacks") {
  Log log;
  log.kernel_says(1, audit(boot - second));
  log.kernel_says(2,
                  "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (1795455254)");
  log.kernel_says(400, audit(boot + 400 * second));
  CHECK(ClockHistory(clock_at(), log.signs()).steps().empty());
}

TEST_CASE("clock history: numbers of a damaged guest are numbers") {
  constexpr std::int64_t century = 4'000'000'000 * second;
  GuestClock clock{-century, century};
  clock.raw_nsec = INT64_MAX;
  clock.sleep_nsec = INT64_MAX;
  clock.printk_ahead_nsec = INT64_MIN;
  const Log log = Log().kernel_says(3, audit(boot)).kernel_says(4, "PM: suspend exit");
  const ClockHistory history(clock, log.signs());
  (void)history.time_of_day(UINT64_MAX);
  (void)history.before_stop(UINT64_MAX);
  (void)history.warnings();
}

TEST_CASE("clock history: a log that contradicts itself with each of very many records") {
  Log log;
  for (std::int64_t i = 0; i < 200'000; ++i) {
    log.kernel_says(i, "rtc_cmos 00:04: setting system clock to 2026-11-23T17:34:14 UTC (" +
                           std::to_string((boot + i % 2 * hour) / second + i) + ")");
  }
  GuestClock clock{boot, boot + 200'000 * second};
  const ClockHistory history(clock, log.signs());
  CHECK(history.steps().size() == 16384);
  const std::vector<std::string> warnings = history.warnings();
  REQUIRE_FALSE(warnings.empty());
  CHECK(warnings.size() <= 102);
  CHECK_THAT(warnings.back(), Catch::Contains("the guest's clock was set more than 16384 times"));
}

TEST_CASE("clock history: of very many steps without a place, some are told, and how many more") {
  Log log;
  for (std::int64_t i = 0; i < 300; ++i) {
    log.kernel_says(3 * i, audit(boot + (i / 2 % 2 * hour) + 3 * i * second));
  }
  const std::vector<std::string> warnings = ClockHistory(clock_at(), log.signs()).warnings();
  REQUIRE(warnings.size() == 101);
  CHECK_THAT(warnings.back(), Catch::Contains("times more, and the log does not say when"));
}

}  // namespace photon_dmesg::test
