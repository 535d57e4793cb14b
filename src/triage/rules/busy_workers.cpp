#include <fmt/format.h>

#include <algorithm>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// That works wait behind it is another finding.
bool holds_up_works(const GuestFacts& facts, const BusyWorker& worker) {
  return std::any_of(facts.pools.begin(), facts.pools.end(), [&](const WorkerPool& pool) {
    return pool.cpu == worker.cpu && pool.stalled_nsec >= certain_age;
  });
}

}  // namespace

std::vector<Finding> find_busy_workers(const GuestFacts& facts) {
  std::vector<Finding> findings;
  const TasksByAddress tasks(facts);
  for (const BusyWorker& worker : facts.busy_workers) {
    const TaskActivity* activity = tasks.find(worker.task);
    if (worker.nsec < certain_age || activity == nullptr || holds_up_works(facts, worker)) continue;
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::WorkqueueHog;
    finding.grade = Grade::Weak;
    finding.cpu = worker.cpu;
    finding.task = name_of_task(activity->task);
    finding.cause = summary_of(lasting_trace(facts, *activity));
    finding.object = work_of(activity->trace);
    finding.summary = fmt::format("{} has taken {} of CPU {} for one work{}",
                                  name_and_pid(activity->task), seconds(worker.nsec), worker.cpu,
                                  finding.object.empty() ? "" : ": " + finding.object);
    finding.evidence.push_back({.what = "worker.current_at",
                                .value = seconds(worker.nsec) + " of its own time ago",
                                .address = worker.address});
    finding.notes.emplace_back("it makes room for other tasks: perhaps it is a long work");
  }
  return findings;
}

}  // namespace photon_dmesg
