#include <fmt/format.h>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

std::string summary(const VcpuActivity* vcpu, std::uint32_t cpu, std::uint64_t overdue) {
  std::string text = fmt::format("CPU {} has taken no interrupt for {}", cpu, seconds(overdue));
  if (vcpu == nullptr) return text;
  if (is_idle(*vcpu)) return text + ": it is idle, its timer is lost";
  if (vcpu->in_user_mode) return text + ": it is in user mode, its timer is lost";
  return text + where_it_spins(*vcpu);
}

bool is_closed(const VcpuActivity* vcpu) {
  return vcpu != nullptr && is_busy_in_kernel(*vcpu) && !vcpu->takes_interrupts.value_or(true);
}

// For how long a CPU has taken no timer interrupt, and what tells so.
struct Silence {
  std::uint64_t nsec = 0;
  Witness witness;
  bool is_confirmed = true;  // by something else than this one number
  bool is_longest = false;   // it may have been shorter, by an unknown time
};

// Of a CPU that is in its timer interrupt, which says so twice: no timer is due, and the function
// of one that was has not returned.
std::optional<Silence> serving(const CpuHealth& health, const VcpuActivity* vcpu) {
  if (!is_closed(vcpu) || !health.served_nsec) return std::nullopt;
  return Silence{*health.served_nsec,
                 {.what = "hrtimer.node.expires of the timer that it serves",
                  .value = fmt::format("{} ago", seconds(*health.served_nsec)),
                  .address = health.served_timer->address},
                 health.timer_due.has_value()};
}

// Where it is not known when its timer is due, as without high resolution timers: each tick counts
// the time of the task that has the CPU. An idle one has none to count.
std::optional<Silence> uncounted(const GuestFacts& facts, const VcpuActivity* vcpu) {
  if (!is_closed(vcpu) || !vcpu->task || vcpu->task->pid == 0) return std::nullopt;
  const auto counted = vcpu->task->last_ran_nsec;
  if (counted.value_or(0) == 0 || facts.time.now_nsec < *counted) return std::nullopt;
  const std::uint64_t nsec = facts.time.now_nsec - *counted;
  return Silence{nsec,
                 {.what = fmt::format("se.exec_start of {}", name_and_pid(*vcpu->task)),
                  .value = fmt::format("its time was last counted {} ago", seconds(nsec)),
                  .address = vcpu->task->address},
                 false,
                 vcpu->task->by_task_clock};
}

std::optional<Silence> silence_of(const GuestFacts& facts, const CpuHealth& health,
                                  const VcpuActivity* vcpu) {
  if (!health.timer_due || health.timer_due->value >= no_timer_due) {
    auto silence = serving(health, vcpu);
    return silence ? silence : uncounted(facts, vcpu);
  }
  if (!health.overdue_nsec) return std::nullopt;
  return Silence{*health.overdue_nsec,
                 {.what = "hrtimer_bases.expires_next",
                  .value = fmt::format("{} overdue", seconds(*health.overdue_nsec)),
                  .address = health.timer_due->address},
                 health.timer_agrees};
}

// The silence of a CPU that is locked up; nothing if it isn't. One that is in the kernel with its
// interrupts off needs less to be believed stuck.
std::optional<Silence> locked_for(const GuestFacts& facts, const CpuHealth& health,
                                  const VcpuActivity* vcpu) {
  constexpr std::uint64_t least_closed_age = 2 * nsec_per_second;
  auto silence = silence_of(facts, health, vcpu);
  const std::uint64_t least = is_closed(vcpu) ? least_closed_age : least_age;
  return health.is_online && silence && silence->nsec >= least ? silence : std::nullopt;
}

Grade grade_of(const Silence& silence, const VcpuActivity* vcpu) {
  if (silence.is_longest) return Grade::Weak;
  const bool lets_in = vcpu != nullptr && vcpu->takes_interrupts.value_or(false);
  if (silence.nsec > certain_age && silence.is_confirmed && !lets_in) return Grade::Certain;
  return silence.is_confirmed || is_closed(vcpu) ? Grade::Strong : Grade::Weak;
}

}  // namespace

bool is_locked_hard(const GuestFacts& facts, const CpuHealth& health) {
  return locked_for(facts, health, vcpu_of(facts, health.cpu)).has_value();
}

std::vector<Finding> find_hard_lockups(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const CpuHealth& health : facts.cpus) {
    const VcpuActivity* vcpu = vcpu_of(facts, health.cpu);
    const auto silence = locked_for(facts, health, vcpu);
    if (!silence) continue;
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::HardLockup;
    finding.grade = grade_of(*silence, vcpu);
    finding.cpu = health.cpu;
    finding.summary = summary(vcpu, health.cpu, silence->nsec);
    finding.since_nsec = begin_of(facts.time.now_nsec, silence->nsec);
    finding.evidence.push_back(silence->witness);
    if (vcpu == nullptr) continue;
    finding.cause = summary_of(vcpu->trace);
    if (vcpu->task) finding.task = name_of_task(*vcpu->task);
    add_spinlock(*vcpu, finding);
    if (!vcpu->takes_interrupts) continue;
    const bool lets_in = *vcpu->takes_interrupts;
    (lets_in ? finding.against : finding.evidence)
        .push_back({.what = "IF", .value = lets_in ? "1" : "0"});
  }
  return findings;
}

}  // namespace photon_dmesg
