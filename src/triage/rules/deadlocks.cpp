#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// The circle's member by whose waiting it closed: the last that began.
std::optional<std::uint64_t> closed_nsec(const GuestFacts& facts, const std::vector<Task>& cycle) {
  std::optional<std::uint64_t> latest;
  for (const Task& task : cycle) {
    const auto since = begin_of(facts.time.now_nsec, nsec_off_cpu(facts, task));
    if (since) latest = std::max(latest.value_or(0), *since);
  }
  return latest;
}

Finding describe_cycle(const GuestFacts& facts, const TasksByAddress& tasks,
                       const std::vector<Task>& cycle) {
  Finding finding;
  finding.kind = FindingKind::Deadlock;
  finding.grade = Grade::Certain;
  finding.task = name_of_task(cycle.front());
  finding.cpu = cycle.front().cpu;
  finding.since_nsec = closed_nsec(facts, cycle);
  for (const Task& task : cycle) {
    const TaskActivity* activity = tasks.find(task.address);
    if (activity == nullptr || !activity->waiting) continue;
    const Waiting& waiting = *activity->waiting;
    const std::string object = describe_object(waiting.wait);
    if (!finding.summary.empty()) finding.summary += ", ";
    finding.summary += fmt::format("{} waits for {}", name_and_pid(task), object);
    if (waiting.owner) finding.summary += fmt::format(" of {}", name_and_pid(*waiting.owner));
    if (!finding.object.empty()) finding.object += ", ";
    finding.object += object;
    if (!finding.cause.empty()) finding.cause += ", ";
    finding.cause += fmt::format("{} in {}", name_and_pid(task), culprit_of(activity->trace));
    finding.evidence.push_back(witness_of(waiting, task));
    finding.tasks.push_back(
        {name_of_task(task), begin_of(facts.time.now_nsec, nsec_off_cpu(facts, task))});
    // One that goes on running has not been waiting.
    if (task.state == 'R') finding.grade = Grade::Strong;
  }
  return finding;
}

}  // namespace

std::vector<Finding> find_deadlocks(const GuestFacts& facts) {
  std::vector<Finding> findings;
  std::set<GuestVirtual> told;
  const TasksByAddress tasks(facts);
  for (const TaskActivity& activity : facts.tasks) {
    if (!activity.waiting || activity.waiting->cycle.empty()) continue;
    if (told.contains(activity.task.address)) continue;
    for (const Task& task : activity.waiting->cycle) told.insert(task.address);
    findings.push_back(describe_cycle(facts, tasks, activity.waiting->cycle));
  }
  return findings;
}

}  // namespace photon_dmesg
