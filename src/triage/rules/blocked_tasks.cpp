#include <map>
#include <string>
#include <utility>

#include "triage/rules/blocked.h"
#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// What tasks wait for: its address, or where that is not known the function that waits.
using Thing = std::pair<std::uint64_t, std::string>;

Thing thing_of(const TaskActivity& activity) {
  if (activity.waiting) return {activity.waiting->wait.object.value, ""};
  return {0, culprit_of(activity.trace)};
}

// How long is too long depends on what is waited for; the kernel's own detector takes 120 s.
Grade grade_of(const std::vector<BlockedTask>& tasks, const Finding& finding) {
  constexpr std::uint64_t long_age = 20 * nsec_per_second;
  const bool several = tasks.size() > 1 || finding.blocker.has_value();
  const std::uint64_t age = tasks.front().age.value_or(0);
  return age >= long_age || (several && age >= certain_age) ? Grade::Strong : Grade::Weak;
}

}  // namespace

std::vector<Finding> find_blocked_tasks(const GuestFacts& facts) {
  std::map<Thing, std::vector<BlockedTask>> groups;
  for (const BlockedTask& task : blocked_tasks(facts, BlockedIn::Other)) {
    groups[thing_of(*task.activity)].push_back(task);
  }
  std::vector<Finding> findings;
  for (const auto& [thing, tasks] : groups) {
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::BlockedTasks;
    add_blocked(facts, tasks, finding);
    finding.grade = grade_of(tasks, finding);
  }
  return findings;
}

}  // namespace photon_dmesg
