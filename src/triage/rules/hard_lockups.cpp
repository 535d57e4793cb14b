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
  const std::string culprit = culprit_of(vcpu->trace);
  if (culprit.empty()) return text;
  return text + (spins_on_lock(vcpu->trace) ? ": spins on a lock in " : ": in ") + culprit;
}

// A CPU that is in the kernel with its interrupts off needs less to be believed stuck.
bool is_locked_up(const CpuHealth& health, const VcpuActivity* vcpu) {
  constexpr std::uint64_t least_closed_age = 2 * nsec_per_second;
  if (!health.is_online || !health.overdue_nsec) return false;
  const bool is_closed =
      vcpu != nullptr && is_busy_in_kernel(*vcpu) && !vcpu->takes_interrupts.value_or(true);
  return *health.overdue_nsec >= (is_closed ? least_closed_age : least_age);
}

}  // namespace

std::vector<Finding> find_hard_lockups(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const CpuHealth& health : facts.cpus) {
    const VcpuActivity* vcpu = vcpu_of(facts, health.cpu);
    if (!is_locked_up(health, vcpu)) continue;
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::HardLockup;
    const bool lets_in = vcpu != nullptr && vcpu->takes_interrupts.value_or(false);
    finding.grade = *health.overdue_nsec > certain_age && !lets_in ? Grade::Certain : Grade::Strong;
    finding.cpu = health.cpu;
    finding.summary = summary(vcpu, health.cpu, *health.overdue_nsec);
    finding.since_nsec = begin_of(facts.time.now_nsec, health.overdue_nsec);
    finding.evidence.push_back({.what = "hrtimer_bases.expires_next",
                                .value = fmt::format("{} overdue", seconds(*health.overdue_nsec)),
                                .address = health.timer_due->address});
    if (vcpu == nullptr) continue;
    finding.cause = summary_of(vcpu->trace);
    if (vcpu->task) finding.task = name_of_task(*vcpu->task);
    if (!vcpu->takes_interrupts) continue;
    (lets_in ? finding.against : finding.evidence)
        .push_back({.what = "IF", .value = lets_in ? "1" : "0"});
  }
  return findings;
}

}  // namespace photon_dmesg
