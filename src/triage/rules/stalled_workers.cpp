#include <fmt/format.h>

#include <algorithm>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// The worker of that pool which has the CPU, or is to have it: what the works wait behind. For one
// that sleeps another would have taken over.
const TaskActivity* worker_at_work(const GuestFacts& facts, const WorkerPool& pool) {
  const std::string prefix = fmt::format("kworker/{}:", pool.cpu);
  const auto found =
      std::find_if(facts.tasks.begin(), facts.tasks.end(), [&](const TaskActivity& activity) {
        const std::string& comm = activity.task.comm;
        return activity.task.state == 'R' && comm.starts_with(prefix) &&
               comm.ends_with('H') == pool.is_high_priority && !work_of(activity.trace).empty();
      });
  return found == facts.tasks.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Finding> find_stalled_workers(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const WorkerPool& pool : facts.pools) {
    if (pool.stalled_nsec < certain_age) continue;
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::StalledWorkers;
    finding.grade = Grade::Strong;
    finding.cpu = pool.cpu;
    finding.since_nsec = begin_of(facts.time.now_nsec, pool.stalled_nsec);
    finding.summary =
        fmt::format("CPU {}'s {}workers have begun nothing for {}, {} wait{}", pool.cpu,
                    pool.is_high_priority ? "high-priority " : "", seconds(pool.stalled_nsec),
                    pool.waiting == 1 ? "one work" : fmt::format("{} works", pool.waiting),
                    pool.waiting == 1 ? "s" : "");
    finding.evidence.push_back({.what = "worker_pool",
                                .value = fmt::format("{} in its worklist", pool.waiting),
                                .address = pool.address});
    if (const TaskActivity* worker = worker_at_work(facts, pool)) {
      finding.task = name_of_task(worker->task);
      finding.cause = summary_of(lasting_trace(facts, *worker));
      finding.object = work_of(worker->trace);
      finding.summary += ": behind " + finding.object;
    }
  }
  return findings;
}

}  // namespace photon_dmesg
