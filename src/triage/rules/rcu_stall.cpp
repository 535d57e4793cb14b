#include <fmt/format.h>
#include <fmt/ranges.h>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {

std::vector<Finding> find_rcu_stall(const GuestFacts& facts) {
  // An idle guest keeps one open for a while: without anybody who holds it up it is nothing.
  const std::optional<RcuGracePeriod>& rcu = facts.rcu;
  if (!rcu || rcu->age_nsec.value_or(0) < certain_age) return {};
  if (rcu->cpus.empty() && rcu->readers.empty()) return {};
  Finding finding;
  finding.kind = FindingKind::RcuStall;
  finding.grade = Grade::Strong;
  finding.since_nsec = begin_of(facts.time.now_nsec, rcu->age_nsec);
  finding.summary = fmt::format("a grace period has been open for {}", seconds(*rcu->age_nsec));
  if (!rcu->cpus.empty()) {
    finding.cpu = rcu->cpus.front();
    finding.summary += fmt::format(", it waits for CPU {}", fmt::join(rcu->cpus, ", "));
    const VcpuActivity* vcpu = vcpu_of(facts, *finding.cpu);
    if (vcpu != nullptr) finding.cause = summary_of(vcpu->trace);
    if (vcpu != nullptr && vcpu->task) finding.task = name_of_task(*vcpu->task);
  }
  const TasksByAddress tasks(facts);
  for (const GuestVirtual reader : rcu->readers) {
    const TaskActivity* activity = tasks.find(reader);
    if (activity == nullptr) continue;
    finding.tasks.push_back({name_of_task(activity->task), std::nullopt});
    if (finding.task) continue;
    finding.task = name_of_task(activity->task);
    finding.cause = summary_of(activity->trace);
    finding.summary += fmt::format(", it waits for {}", name_and_pid(activity->task));
  }
  finding.evidence.push_back(witness_of(rcu->sequence));
  if (rcu->thread_nsec.value_or(0) >= certain_age) {
    finding.notes.push_back(
        fmt::format("RCU's own thread has done nothing for {}", seconds(*rcu->thread_nsec)));
  }
  return {finding};
}

}  // namespace photon_dmesg
