#include "triage/rules/guest_facts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "triage/rules/frames.h"

namespace photon_dmesg {
namespace {

const VcpuActivity* vcpu_that_runs(const GuestFacts& facts, const Task& task) {
  const auto found = std::find_if(
      facts.vcpus.begin(), facts.vcpus.end(),
      [&](const VcpuActivity& vcpu) { return vcpu.task && vcpu.task->address == task.address; });
  return found == facts.vcpus.end() ? nullptr : &*found;
}

std::uint64_t lag_of(const GuestFacts& facts, const Task& task) {
  return task.by_task_clock ? facts.task_clock_lag_nsec : 0;
}

// Whether `vcpu` was in an interrupt that had begun just now: its interrupts are off, and what only
// goes on while a CPU takes them was done until then. Of the two none suffices: other CPUs may
// count the time of its task, and while timers are served none is due.
bool is_in_fresh_interrupt(const GuestFacts& facts, const VcpuActivity& vcpu) {
  const auto health = std::find_if(facts.cpus.begin(), facts.cpus.end(),
                                   [&](const CpuHealth& each) { return each.cpu == vcpu.cpu; });
  if (health == facts.cpus.end() || vcpu.takes_interrupts.value_or(true) || !vcpu.task) {
    return false;
  }
  constexpr std::uint64_t moment = 2'000'000'000;
  const bool serves_timers = health->timer_due && health->timer_due->value >= no_timer_due;
  const auto counted = vcpu.task->last_ran_nsec;
  return !serves_timers && health->overdue_nsec.value_or(0) < moment && vcpu.task->pid != 0 &&
         counted.value_or(0) != 0 &&
         *counted + lag_of(facts, *vcpu.task) + moment > facts.time.now_nsec;
}

}  // namespace

bool denies_panic(const GuestFacts& facts) {
  return facts.panic.panic_cpu && !facts.panic.cpu() &&
         std::ranges::none_of(facts.vcpus,
                              [](const VcpuActivity& vcpu) { return is_in_panic(vcpu.trace); });
}

std::vector<Finding> logged_findings(const GuestFacts& facts) {
  const bool has_no_panic = denies_panic(facts);
  std::vector<Finding> findings;
  for (Finding logged : facts.logged) {
    std::vector<Finding> released;
    if (logged.kind == FindingKind::Panic && has_no_panic) released.swap(logged.consequences);
    findings.push_back(std::move(logged));
    std::ranges::move(released, std::back_inserter(findings));
  }
  return findings;
}

std::vector<Finding> logged_of(const GuestFacts& facts, FindingKind kind) {
  std::vector<Finding> findings = logged_findings(facts);
  std::erase_if(findings, [kind](const Finding& finding) { return finding.kind != kind; });
  return findings;
}

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

TasksByAddress::TasksByAddress(const GuestFacts& facts) {
  for (const TaskActivity& activity : facts.tasks) {
    tasks_.emplace(activity.task.address, &activity);
  }
}

const TaskActivity* TasksByAddress::find(GuestVirtual task_struct) const {
  const auto found = tasks_.find(task_struct);
  return found == tasks_.end() ? nullptr : found->second;
}

bool has_timers(const GuestFacts& facts) {
  // Of some CPUs it may be known that none is due.
  const auto is_read = [](const CpuHealth& health) {
    return health.has_timers || !health.is_online;
  };
  return std::ranges::all_of(facts.cpus, is_read) &&
         std::ranges::any_of(facts.cpus,
                             [](const CpuHealth& health) { return health.timer_due.has_value(); });
}

bool has_ages(const GuestFacts& facts) {
  return std::any_of(facts.tasks.begin(), facts.tasks.end(), [&](const TaskActivity& activity) {
    return nsec_off_cpu(facts, activity.task).has_value();
  });
}

bool has_workers(const GuestFacts& facts) {
  return !facts.cpus.empty() && std::ranges::all_of(facts.cpus, [&](const CpuHealth& health) {
    return can_show_workers(facts, health.cpu);
  });
}

bool can_show_lockup(const GuestFacts& facts, std::optional<std::uint32_t> cpu) {
  const auto is_meant = [&](const CpuHealth& health) { return !cpu || health.cpu == *cpu; };
  // One that is not online is no longer locked up.
  const auto would_show = [&](const CpuHealth& health) {
    return !is_meant(health) || health.timer_due || !health.is_online;
  };
  return std::ranges::any_of(facts.cpus, is_meant) && std::ranges::all_of(facts.cpus, would_show) &&
         has_ages(facts);
}

bool can_show_workers(const GuestFacts& facts, std::uint32_t cpu) {
  return std::ranges::find(facts.cpus_of_pools, cpu) != facts.cpus_of_pools.end();
}

std::optional<std::uint64_t> nsec_off_cpu(const GuestFacts& facts, const Task& task) {
  if (task.on_cpu || task.last_ran_nsec.value_or(0) == 0) return std::nullopt;
  const std::uint64_t now = facts.time.now_nsec;
  const std::uint64_t then = *task.last_ran_nsec + lag_of(facts, task);
  return now > then ? now - then : 0;
}

std::optional<std::uint64_t> arrived_nsec(const GuestFacts& facts, const Task& task) {
  if (task.arrived_nsec.value_or(0) == 0) return std::nullopt;
  return *task.arrived_nsec + lag_of(facts, task);
}

std::uint64_t find_task_clock_lag(const GuestFacts& facts) {
  const std::uint64_t now = facts.time.now_nsec;
  std::uint64_t latest = 0;
  const auto look_at = [&](const Task& task) {
    const std::uint64_t then = task.last_ran_nsec.value_or(0);
    // One that has not come yet is damage.
    if (task.by_task_clock && then <= now) latest = std::max(latest, then);
  };
  for (const TaskActivity& activity : facts.tasks) look_at(activity.task);
  for (const VcpuActivity& vcpu : facts.vcpus) {
    if (vcpu.task) look_at(*vcpu.task);
  }
  // A guest may have been idle for as long.
  constexpr std::uint64_t idle = 5'000'000'000;
  return latest == 0 || now - latest <= idle ? 0 : now - latest;
}

std::optional<std::uint64_t> nsec_starved(const GuestFacts& facts, const Task& task) {
  if (task.state != 'R' || task.on_cpu) return std::nullopt;
  if (vcpu_that_runs(facts, task) != nullptr) return std::nullopt;
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

Trace lasting_trace(const GuestFacts& facts, const VcpuActivity& vcpu) {
  return is_in_fresh_interrupt(facts, vcpu) ? below_tick(vcpu.trace) : vcpu.trace;
}

Trace lasting_trace(const GuestFacts& facts, const TaskActivity& activity) {
  const VcpuActivity* vcpu = vcpu_that_runs(facts, activity.task);
  // The interrupt that took its CPU from one that waits is over.
  const bool is_over = vcpu == nullptr || is_in_fresh_interrupt(facts, *vcpu);
  return is_over ? below_tick(activity.trace) : activity.trace;
}

}  // namespace photon_dmesg
