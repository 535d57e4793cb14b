#include "report/blocked_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/budget.h"
#include "triage/rules/frames.h"

namespace photon_dmesg {
namespace {

// By what is waited for; two locks of one name are two.
std::string key_of(const TaskActivity& activity) {
  if (!activity.waiting) return summary_of(activity.trace);
  const Wait& wait = activity.waiting->wait;
  return fmt::format("{} {}", describe_object(wait), wait.object);
}

std::string describe_owner(const Waiting& waiting, const TaskActivity* owner) {
  std::string text = describe_holder(waiting);
  if (owner == nullptr) return text;
  text += fmt::format(", in {}", owner->task.state);
  if (owner->waiting) {
    return text + ", which waits for " + describe_object(owner->waiting->wait);
  }
  const std::string culprit = culprit_of(owner->trace);
  return culprit.empty() ? text : text + " in " + culprit;
}

// Follows locks to their owners, at most once around a circle, and no further than `all` and the
// chains of a sound guest.
void follow_owners(BlockedGroup& group, const TasksByAddress& tasks, Budget& all) {
  constexpr std::size_t longest = 64;
  std::set<GuestVirtual> seen;
  const TaskActivity* waiter = group.tasks.front();
  while (waiter != nullptr && waiter->waiting && waiter->waiting->owner) {
    const Waiting& waiting = *waiter->waiting;
    if (group.owners.size() == longest || !all.take()) {
      group.owners.emplace_back("and so on: they are followed no further");
      group.holder = nullptr;
      break;
    }
    const TaskActivity* owner = tasks.find(waiting.owner->address);
    group.owners.push_back(describe_owner(waiting, owner));
    group.holder = owner;
    if (!seen.insert(waiting.owner->address).second) {
      group.owners.emplace_back("and so on: they wait for each other in a circle");
      break;
    }
    waiter = owner;
  }
  if (group.holder != nullptr && group.holder->task.state == 'D') group.holder = nullptr;
}

}  // namespace

std::vector<BlockedGroup> blocked_groups(const GuestFacts& facts) {
  std::map<std::string, BlockedGroup> by_key;
  for (const TaskActivity& activity : facts.tasks) {
    if (activity.task.state != 'D') continue;
    BlockedGroup& group = by_key[key_of(activity)];
    if (activity.waiting) group.what = describe_object(activity.waiting->wait);
    group.tasks.push_back(&activity);
  }
  const auto age = [&](const TaskActivity* activity) {
    return nsec_off_cpu(facts, activity->task).value_or(0);
  };
  const TasksByAddress tasks(facts);
  Budget owners("owners of locks", 16384);
  std::vector<BlockedGroup> groups;
  for (auto& [key, group] : by_key) {
    std::ranges::stable_sort(group.tasks, std::ranges::greater(), age);
    follow_owners(group, tasks, owners);
    groups.push_back(std::move(group));
  }
  std::ranges::stable_sort(groups, std::ranges::greater(),
                           [](const BlockedGroup& group) { return group.tasks.size(); });
  return groups;
}

}  // namespace photon_dmesg
