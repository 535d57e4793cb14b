#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/health/guest_time.h"
#include "kernel/health/reading.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// KTIME_MAX, as the time when a timer is due: none is set. While the timers that were due are
// served, hrtimer_interrupt() says so too.
inline constexpr auto no_timer_due =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// What a CPU's own variables say of whether it does its work. What is not known is absent.
struct CpuHealth {
  std::uint32_t cpu = 0;
  bool is_online = true;    // by the kernel's mask: one that is not has no timer and no tasks
  bool has_timers = false;  // whether its hrtimer_bases can be read
  // hrtimer_bases.expires_next: when its timer interrupt is due, by the monotonic clock, or
  // no_timer_due. One that is overdue has not been taken since: the CPU has not let interrupts in.
  std::optional<Reading> timer_due;
  std::optional<std::uint64_t> overdue_nsec;  // by how much, if it is
  bool timer_agrees = false;                  // the timer that is due next says the same time
  // The timer whose function it is in while it serves them: when that was due, and for how long it
  // has been, if it lies behind.
  std::optional<Reading> served_timer;
  std::optional<std::uint64_t> served_nsec;
  std::optional<GuestVirtual> stopper;  // rq.stop, migration/N, which nothing else delays
  // The soft lockup detector's own: when the stopper last ran, seconds of 2^30 nanoseconds
  // (watchdog_touch_ts). Absent where it does not run.
  std::optional<Reading> watchdog_touched;
  std::uint64_t watchdog_seconds = 4;  // how often it looks, as the guest is set up
};

// Of all `cpus`. That timers can't be read although symbols and types tell where they are is a
// warning.
[[nodiscard]] std::vector<CpuHealth> read_cpu_health(const GuestKernel& kernel,
                                                     const KernelTypes& types, const Cpus& cpus,
                                                     const GuestTime& time,
                                                     Diagnostics& diagnostics);

}  // namespace photon_dmesg
