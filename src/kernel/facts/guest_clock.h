#pragma once

#include <cstdint>
#include <optional>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// The guest's own idea of the time of day when it stopped, from its timekeeper in memory
// (kernel/time/timekeeping.c), and how printk's clock stands to it (kernel/sched/clock.c). What of
// a record's time of day follows from that, report/clock_history.h knows.
struct GuestClock {
  // CLOCK_REALTIME less CLOCK_MONOTONIC, as it was at last: offs_real. Nanoseconds.
  std::int64_t realtime_offset_nsec = 0;
  // When the kernel last moved its clock on, at most one tick before the guest stopped, or longer
  // if every CPU was idle. Nanoseconds since 1970, UTC.
  std::int64_t last_update_nsec = 0;
  // CLOCK_MONOTONIC_RAW at that moment: counts as CLOCK_MONOTONIC does, but NTP does not slew it,
  // and since 4.19 it begins later: timekeeping_init() has CLOCK_MONOTONIC begin at local_clock().
  std::optional<std::int64_t> raw_nsec{};
  // By which part CLOCK_MONOTONIC went slower than that at the stop: 0.1 is a tenth.
  double slew_rate = 0;
  // How long the guest has slept in all, offs_boot: only CLOCK_REALTIME goes on meanwhile.
  std::optional<std::int64_t> sleep_nsec{};
  // Whether local_clock(), which printk's time stamps are of, counts as the raw clock does (a TSC
  // that is stable) or as CLOCK_MONOTONIC does; by the kernel's variables.
  std::optional<bool> printk_follows_raw{};
  // local_clock() less CLOCK_MONOTONIC, by the kernel's variables: as it was early in boot, or as
  // it is (the clock source watchdog, which takes it anew twice a second, runs).
  std::optional<std::int64_t> printk_ahead_nsec{};
  bool printk_ahead_is_new = false;
  // local_clock() itself at the last update, where the kernel takes it from VMware's TSC: the raw
  // clock counts by the same, but rounds its rate, and is off by some milliseconds a day.
  std::optional<std::int64_t> printk_nsec{};
  // The clock source (its address) and its cycles at the last update.
  std::uint64_t clock_source = 0;
  std::uint64_t cycles = 0;

  // CLOCK_MONOTONIC at the last update.
  [[nodiscard]] std::int64_t monotonic_nsec() const {
    return last_update_nsec - realtime_offset_nsec;
  }
};

// Finds the timekeeper by the symbol tk_core, or by its form: the sums that its members make up
// prove it. Nothing, with the reason noted, if there is none whose sums are right. Members that
// can't be right or have no symbol are absent, with a note.
[[nodiscard]] std::optional<GuestClock> read_guest_clock(const GuestKernel& kernel,
                                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
