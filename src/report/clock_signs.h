#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// What the log itself says of the guest's clocks; `ts_nsec` is the time stamp of the record.
class ClockSigns {
 public:
  // The time of day, nanoseconds since 1970, UTC: "setting system clock to ... UTC (1795455253)" of
  // drivers/rtc, which sets it to the middle of that second, and "audit(1795455253.123:1)", which
  // is when the system call began that the record is of: any time before the record.
  struct Reading {
    std::uint64_t ts_nsec = 0;
    std::int64_t time_of_day = 0;
    bool coarse = false;      // by the clock as it was before drivers/rtc set it, in whole seconds
    bool may_be_old = false;  // audit's
  };

  // That somebody has just set the clock: drivers/rtc, chrony, systemd and its journald say so, and
  // the kernel of leap seconds.
  struct Setting {
    std::uint64_t ts_nsec = 0;
    std::optional<std::int64_t> step;  // by how much, if that is said; nanoseconds
    bool backwards = false;            // journald speaks of nothing else
  };

  // That the guest woke up.
  struct Waking {
    std::uint64_t ts_nsec = 0;
    std::optional<std::int64_t>
        slept;  // nanoseconds, where kernel/time/timekeeping_debug.c says it
    // By how much printk's clock went on since the guest had begun to go to s2idle: not of other
    // sleeps.
    std::optional<std::int64_t> idled;
  };

  // The next record of the log.
  void add(const LogRecord& record);

  // In the order of the log.
  [[nodiscard]] const std::vector<Reading>& readings() const { return readings_; }
  [[nodiscard]] const std::vector<Setting>& settings() const { return settings_; }
  [[nodiscard]] const std::vector<Waking>& wakings() const { return wakings_; }

  // Whether no record since the boot is missing.
  [[nodiscard]] bool has_all() const { return has_all_; }

  // Between which time stamps timekeeping_init() had CLOCK_MONOTONIC begin: behind init_IRQ() and
  // srcu_init(), before console_init() (init/main.c).
  [[nodiscard]] std::optional<std::uint64_t> began_after() const { return began_after_; }
  [[nodiscard]] std::optional<std::uint64_t> began_before() const { return began_before_; }

  // As in GuestClock, by "sched_clock: Marking stable (..., AHEAD)->(...)" of kernel/sched/clock.c
  // and what revokes that.
  [[nodiscard]] std::optional<bool> printk_follows_raw() const { return printk_follows_raw_; }
  [[nodiscard]] std::optional<std::int64_t> printk_ahead_nsec() const { return printk_ahead_nsec_; }

 private:
  void add_reading(const LogRecord& record);
  void add_setting(const LogRecord& record);
  void add_leap_second(const LogRecord& record);
  void add_sleep(const LogRecord& record);
  void add_beginning(const LogRecord& record);
  void add_printk_clock(const LogRecord& record);
  Waking& waking_at(std::uint64_t ts_nsec);

  std::vector<Reading> readings_;
  std::size_t coarse_ = 0;  // so many of them are
  std::vector<Setting> settings_;
  std::vector<Waking> wakings_;
  std::uint64_t next_seq_ = 0;
  bool has_all_ = true;
  std::optional<std::uint64_t> began_after_;
  std::optional<std::uint64_t> began_before_;
  std::optional<bool> printk_follows_raw_;
  std::optional<std::int64_t> printk_ahead_nsec_;
  bool awake_ = false;  // the last of wakings_ belongs to the sleep that the log is at
  std::optional<std::uint64_t> idle_since_;  // if that is s2idle
};

}  // namespace photon_dmesg
