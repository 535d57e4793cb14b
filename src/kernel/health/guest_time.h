#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kernel/find/guest_kernel.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// How far the guest's clocks had come when it stopped, in nanoseconds since boot: not all of them
// go on when CPUs hang, so that the latest one counts.
struct GuestTime {
  // By the scheduler's clock, which is printk's too.
  std::uint64_t now_nsec = 0;
  // By CLOCK_MONOTONIC, which timers are set by: the two part as NTP slews it.
  std::uint64_t monotonic_nsec = 0;
  // Ticks a second (CONFIG_HZ), as jiffies and the other clocks tell; absent if they don't.
  std::optional<std::uint32_t> hz;
  std::uint64_t jiffies = 0;  // jiffies_64; means something where hz is known
  // What happened at `then`, a value of jiffies, is so long ago; nothing without hz. 0 for what
  // lies ahead.
  [[nodiscard]] std::optional<std::uint64_t> nsec_since_jiffies(std::uint64_t then) const;
};

// What of the guest's clocks is known from elsewhere. What is not known is absent.
struct KnownTimes {
  std::optional<std::uint64_t> last_record_nsec;
  std::optional<std::uint64_t> last_update_nsec;  // of the timekeeper, by the scheduler's clock
  std::vector<std::uint64_t> scheduled_nsec;      // when tasks last got a CPU
  // CLOCK_MONOTONIC when the scheduler's clock showed that; empty: the two are taken for one.
  std::function<std::uint64_t(std::uint64_t)> monotonic;
};

// From the run queues' clocks, jiffies and `known`.
[[nodiscard]] GuestTime read_guest_time(const GuestKernel& kernel, const Cpus& cpus,
                                        const KnownTimes& known);

}  // namespace photon_dmesg
