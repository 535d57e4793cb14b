#include "kernel/health/cpu_health.h"

#include <fmt/format.h>

#include <utility>

#include "kernel/health/timer_base.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

// Whether the timer that `bases` has as its next one is due when it says.
bool is_due(const KernelMemory& memory, GuestVirtual bases, const KernelTypes& types,
            std::uint64_t due) {
  constexpr std::uint64_t usual_place = 24;  // behind the node of the tree
  const auto timer = read_pointer(memory, bases, types.find("hrtimer_cpu_base.next_timer"));
  const auto expires = types.find("hrtimer.node.expires");
  return timer && memory.read_unsigned(*timer + (expires ? expires->offset : usual_place),
                                       sizeof(std::uint64_t)) == due;
}

// For how long what was due then has been; nothing of what lies ahead.
std::optional<std::uint64_t> nsec_since_due(const std::optional<Reading>& due,
                                            const GuestTime& time) {
  if (!due || due->value == 0 || due->value >= time.monotonic_nsec) return std::nullopt;
  return time.monotonic_nsec - due->value;
}

// The timers of a CPU whose struct hrtimer_cpu_base is at `bases`.
void read_timers(const KernelMemory& memory, const KernelTypes& types, GuestVirtual bases,
                 const Field& expires_next, CpuHealth& health) {
  const auto value = read_number(memory, bases, expires_next);
  health.has_timers = value.has_value();
  // Without high resolution timers are looked after by the tick, and nobody keeps this up.
  const auto hres_active = types.find("hrtimer_cpu_base.hres_active");
  if (value && read_number(memory, bases, hres_active).value_or(1) != 0) {
    health.timer_due = {"hrtimer_bases.expires_next", bases + expires_next.offset, *value};
    health.timer_agrees = is_due(memory, bases, types, *value);
  }
  // CLOCK_MONOTONIC is the first of the clocks. `running` is the CPU's until 4.15.
  const auto clocks = types.find("hrtimer_cpu_base.clock_base");
  const auto running = types.find("hrtimer_cpu_base.running");
  if (!clocks) return;
  health.served_timer =
      read_served_timer(memory, bases + clocks->offset,
                        running ? std::optional(bases + running->offset) : std::nullopt);
}

// Who turns it off (the sysctls kernel.watchdog, kernel.watchdog_thresh) leaves its mark as it is.
bool is_watchdog_off(const GuestKernel& kernel) {
  const auto enabled = read_variable(kernel, "watchdog_enabled", sizeof(std::uint64_t));
  const auto threshold = read_variable(kernel, "watchdog_thresh", sizeof(std::uint32_t));
  return (enabled && enabled->value == 0) || (threshold && threshold->value == 0);
}

// A fifth of twice the time after which it complains (set_sample_period(), kernel/watchdog.c).
std::uint64_t watchdog_seconds(const GuestKernel& kernel) {
  constexpr std::uint64_t usual = 10;
  constexpr std::uint64_t longest = 60;  // that the sysctl takes
  const auto threshold = read_variable(kernel, "watchdog_thresh", sizeof(std::uint32_t));
  const bool is_sound = threshold && threshold->value <= longest;
  return ((is_sound ? threshold->value : usual) * 2 + 4) / 5;
}

// hrtimer_interrupts counts the detector's samples: 0 where it does not run on this CPU.
bool has_watchdog(const GuestKernel& kernel, const Cpus& cpus, const Cpu& cpu) {
  const auto samples = cpus.variable(cpu, "hrtimer_interrupts");
  const auto count =
      samples ? kernel.memory().read_unsigned(*samples, sizeof(std::uint32_t)) : std::nullopt;
  return count.value_or(0) > 0;
}

std::optional<Reading> read_watchdog(const GuestKernel& kernel, const Cpus& cpus, const Cpu& cpu) {
  const auto at = cpus.variable(cpu, "watchdog_touch_ts");
  if (!at || !has_watchdog(kernel, cpus, cpu)) return std::nullopt;
  const auto seconds = kernel.memory().read_unsigned(*at, sizeof(std::uint64_t));
  // 0 and the highest numbers stand for "not yet" and "not now" (kernel/watchdog.c).
  if (!seconds || *seconds == 0 || *seconds >= no_timer_due) return std::nullopt;
  return Reading{"watchdog_touch_ts", *at, *seconds};
}

}  // namespace

std::vector<CpuHealth> read_cpu_health(const GuestKernel& kernel, const KernelTypes& types,
                                       const Cpus& cpus, const GuestTime& time,
                                       Diagnostics& diagnostics) {
  const auto expires_next = types.find("hrtimer_cpu_base.expires_next");
  const auto stop = types.find("rq.stop");
  const bool watchdog_is_off = is_watchdog_off(kernel);
  const std::uint64_t sample_seconds = watchdog_seconds(kernel);
  std::vector<std::uint32_t> without_timers;
  std::vector<CpuHealth> result;
  for (const Cpu& cpu : cpus.all()) {
    CpuHealth& health = result.emplace_back();
    health.cpu = cpu.number;
    health.is_online =
        is_in_cpu_mask(kernel, cpu.number, "__cpu_online_mask", "cpu_online_bits").value_or(true);
    const auto bases = cpus.variable(cpu, "hrtimer_bases");
    if (bases && expires_next) {
      read_timers(kernel.memory(), types, *bases, *expires_next, health);
      if (!health.has_timers) without_timers.push_back(cpu.number);
    } else if (cpu.per_cpu_offset) {
      CpuTimers found = find_timers(kernel.memory(), GuestVirtual{*cpu.per_cpu_offset}, cpu.number);
      health.has_timers = found.are_found;
      health.timer_agrees = found.due.has_value();
      health.timer_due = std::move(found.due);
      health.served_timer = std::move(found.served);
    }
    health.overdue_nsec = nsec_since_due(health.timer_due, time);
    health.served_nsec = nsec_since_due(health.served_timer, time);
    const auto queue = cpus.variable(cpu, "runqueues");
    if (queue) health.stopper = read_pointer(kernel.memory(), *queue, stop);
    if (!watchdog_is_off) health.watchdog_touched = read_watchdog(kernel, cpus, cpu);
    health.watchdog_seconds = sample_seconds;
  }
  if (!without_timers.empty()) {
    diagnostics.warn_of_lack(
        fmt::format("the timers of {} can't be read: whether interrupts are taken is not judged",
                    name_of_cpus(without_timers)));
  }
  return result;
}

}  // namespace photon_dmesg
