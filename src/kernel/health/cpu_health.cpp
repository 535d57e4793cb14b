#include "kernel/health/cpu_health.h"

#include <string>

#include "kernel/health/timer_base.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

// A member of a per-CPU variable.
std::optional<Reading> read_member(const GuestKernel& kernel, std::optional<GuestVirtual> variable,
                                   std::string name, const std::optional<Field>& field) {
  if (!variable || !field) return std::nullopt;
  const auto value = read_number(kernel.memory(), *variable, *field);
  if (!value) return std::nullopt;
  return Reading{std::move(name), *variable + field->offset, *value};
}

// Whether the timer that `bases` has as its next one is due when it says.
bool is_due(const KernelMemory& memory, GuestVirtual bases, const KernelTypes& types,
            std::uint64_t due) {
  constexpr std::uint64_t usual_place = 24;  // behind the node of the tree
  const auto timer = read_pointer(memory, bases, types.find("hrtimer_cpu_base.next_timer"));
  const auto expires = types.find("hrtimer.node.expires");
  return timer && memory.read_unsigned(*timer + (expires ? expires->offset : usual_place),
                                       sizeof(std::uint64_t)) == due;
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
                                       const Cpus& cpus, const GuestTime& time) {
  const auto expires_next = types.find("hrtimer_cpu_base.expires_next");
  const auto hres_active = types.find("hrtimer_cpu_base.hres_active");
  const auto stop = types.find("rq.stop");
  const bool watchdog_is_off = is_watchdog_off(kernel);
  const std::uint64_t sample_seconds = watchdog_seconds(kernel);
  std::vector<CpuHealth> result;
  for (const Cpu& cpu : cpus.all()) {
    CpuHealth& health = result.emplace_back();
    health.cpu = cpu.number;
    health.is_online =
        is_in_cpu_mask(kernel, cpu.number, "__cpu_online_mask", "cpu_online_bits").value_or(true);
    const auto bases = cpus.variable(cpu, "hrtimer_bases");
    health.timer_due = read_member(kernel, bases, "hrtimer_bases.expires_next", expires_next);
    // Without high resolution timers are looked after by the tick, and nobody keeps this up.
    const bool has_high_resolution =
        !bases || read_number(kernel.memory(), *bases, hres_active).value_or(1) != 0;
    if (!has_high_resolution) health.timer_due.reset();
    if (!bases || !expires_next) {
      health.timer_due =
          find_timer_due(kernel.memory(), GuestVirtual{cpu.per_cpu_offset}, cpu.number);
      health.timer_agrees = health.timer_due.has_value();
    } else if (health.timer_due) {
      health.timer_agrees = is_due(kernel.memory(), *bases, types, health.timer_due->value);
    }
    if (health.timer_due && health.timer_due->value != 0 &&
        health.timer_due->value < no_timer_due && health.timer_due->value < time.monotonic_nsec) {
      health.overdue_nsec = time.monotonic_nsec - health.timer_due->value;
    }
    const auto queue = cpus.variable(cpu, "runqueues");
    if (queue) health.stopper = read_pointer(kernel.memory(), *queue, stop);
    if (!watchdog_is_off) health.watchdog_touched = read_watchdog(kernel, cpus, cpu);
    health.watchdog_seconds = sample_seconds;
  }
  return result;
}

}  // namespace photon_dmesg
