#include <map>
#include <optional>
#include <string>
#include <utility>

#include "triage/rules/blocked.h"
#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// What tasks wait for: its address, or the function that waits.
using Thing = std::pair<std::uint64_t, std::string>;

// Tasks by what they wait for. Those that each wait for something of their own, which nobody is
// known to have, are together by what they do: there may be thousands.
std::map<Thing, std::vector<BlockedTask>> group(const std::vector<BlockedTask>& tasks) {
  std::map<std::uint64_t, std::size_t> waiters;
  for (const BlockedTask& task : tasks) {
    if (task.activity->waiting) ++waiters[task.activity->waiting->wait.object.value];
  }
  std::map<Thing, std::vector<BlockedTask>> groups;
  for (const BlockedTask& task : tasks) {
    const std::optional<Waiting>& waiting = task.activity->waiting;
    const std::uint64_t object = waiting ? waiting->wait.object.value : 0;
    const bool is_shared = waiting && (waiting->owner || waiters[object] > 1);
    groups[is_shared ? Thing{object, ""} : Thing{0, culprit_of(task.activity->trace)}].push_back(
        task);
  }
  return groups;
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
  std::vector<Finding> findings;
  const TasksByAddress all(facts);
  for (const auto& [thing, tasks] : group(blocked_tasks(facts, BlockedIn::Other))) {
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::BlockedTasks;
    add_blocked(facts, all, tasks, finding);
    finding.grade = grade_of(tasks, finding);
  }
  return findings;
}

}  // namespace photon_dmesg
