#include "triage/rules/guest_facts.h"

#include <algorithm>

#include "triage/rules/frames.h"

namespace photon_dmesg {

const VcpuActivity* vcpu_of(const GuestFacts& facts, std::uint32_t cpu) {
  const auto found = std::find_if(facts.vcpus.begin(), facts.vcpus.end(),
                                  [&](const VcpuActivity& vcpu) { return vcpu.cpu == cpu; });
  return found == facts.vcpus.end() ? nullptr : &*found;
}

const TaskActivity* task_at(const GuestFacts& facts, GuestVirtual task_struct) {
  const auto found = std::find_if(
      facts.tasks.begin(), facts.tasks.end(),
      [&](const TaskActivity& activity) { return activity.task.address == task_struct; });
  return found == facts.tasks.end() ? nullptr : &*found;
}

bool has_timers(const GuestFacts& facts) {
  return std::any_of(facts.cpus.begin(), facts.cpus.end(),
                     [](const CpuHealth& health) { return health.timer_due.has_value(); });
}

bool has_ages(const GuestFacts& facts) {
  return std::any_of(facts.tasks.begin(), facts.tasks.end(), [&](const TaskActivity& activity) {
    return nsec_off_cpu(facts, activity.task).has_value();
  });
}

bool can_show_hangs(const GuestFacts& facts) {
  return has_timers(facts) && has_ages(facts);
}

std::optional<std::uint64_t> nsec_off_cpu(const GuestFacts& facts, const Task& task) {
  if (task.on_cpu || task.last_ran_nsec.value_or(0) == 0) return std::nullopt;
  const std::uint64_t now = facts.time.now_nsec;
  return now > *task.last_ran_nsec ? now - *task.last_ran_nsec : 0;
}

std::optional<std::uint64_t> nsec_starved(const GuestFacts& facts, const Task& task) {
  if (task.state != 'R' || task.on_cpu) return std::nullopt;
  const bool runs_now = std::any_of(
      facts.vcpus.begin(), facts.vcpus.end(),
      [&](const VcpuActivity& vcpu) { return vcpu.task && vcpu.task->address == task.address; });
  if (runs_now) return std::nullopt;
  // When it last ran does not tell: it may have slept since, and have been woken just now.
  const std::uint64_t since = task.queued_nsec.value_or(0);
  const std::uint64_t now = facts.time.now_nsec;
  if (since == 0) return std::nullopt;
  return now > since ? now - since : 0;
}

bool is_idle(const VcpuActivity& vcpu) {
  if (!vcpu.has_registers) return vcpu.task && vcpu.task->pid == 0;
  const bool may_be_idle = !vcpu.task || vcpu.task->pid == 0;
  return may_be_idle && !vcpu.in_user_mode && is_in_idle_loop(vcpu.trace);
}

bool is_busy_in_kernel(const VcpuActivity& vcpu) {
  return vcpu.runs_kernel && vcpu.has_registers && !vcpu.in_user_mode && !is_idle(vcpu);
}

}  // namespace photon_dmesg
