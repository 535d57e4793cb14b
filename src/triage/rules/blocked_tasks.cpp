#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

struct Blocked {
  const TaskActivity* activity = nullptr;
  std::uint64_t age = 0;
};

// Tasks that wait for one thing: by its address, or where it is not known by the function that
// waits. What waits for disks is one thing, whichever page of them each waits for.
using Thing = std::tuple<FindingKind, std::uint64_t, std::string>;
using Groups = std::map<Thing, std::vector<Blocked>>;

// Whether a task in D waits for something that should come. Threads that sleep for a time, and
// parents whose child has their memory, are well.
bool is_blocked(const TaskActivity& activity) {
  return activity.task.state == 'D' && !waits_for_vfork(activity.trace) &&
         !sleeps_for_time(activity.trace) &&
         !(activity.waiting && !activity.waiting->cycle.empty());
}

bool is_frozen(const TaskActivity& activity) {
  return activity.waiting && activity.waiting->wait.kind == WaitKind::PercpuRwSemaphore &&
         activity.waiting->wait.name.value_or("").starts_with("frozen");
}

Thing thing_of(const TaskActivity& activity) {
  if (waits_for_io(activity.trace) || waits_for_journal(activity.trace)) {
    return {FindingKind::StorageStalled, 0, ""};
  }
  const FindingKind kind =
      is_frozen(activity) ? FindingKind::FrozenFileSystem : FindingKind::BlockedTasks;
  if (activity.waiting) return {kind, activity.waiting->wait.object.value, ""};
  return {kind, 0, culprit_of(activity.trace)};
}

Groups group(const GuestFacts& facts) {
  Groups groups;
  for (const TaskActivity& activity : facts.tasks) {
    const auto age = nsec_off_cpu(facts, activity.task);
    if (!is_blocked(activity) || age.value_or(0) < least_age) continue;
    groups[thing_of(activity)].push_back({&activity, *age});
  }
  // Among those that wait for disks, who waits for the disk itself comes before who waits for the
  // journal; then the oldest: the first to stop is nearest to the cause.
  for (auto& [thing, tasks] : groups) {
    std::stable_sort(tasks.begin(), tasks.end(), [](const Blocked& left, const Blocked& right) {
      const bool left_io = waits_for_io(left.activity->trace);
      const bool right_io = waits_for_io(right.activity->trace);
      return left_io != right_io ? left_io : left.age > right.age;
    });
  }
  return groups;
}

// What the owner of a lock does with it.
std::string describe_owner(const GuestFacts& facts, const Task& owner) {
  for (const VcpuActivity& vcpu : facts.vcpus) {
    if (vcpu.task && vcpu.task->address == owner.address) {
      return fmt::format("which runs on CPU {}", vcpu.cpu.value_or(vcpu.vcpu));
    }
  }
  const TaskActivity* activity = task_at(facts, owner.address);
  if (activity == nullptr || owner.state == 'X' || owner.state == 'Z') return "which is gone";
  const std::string where = culprit_of(activity->trace);
  return fmt::format("which is in {}{}", owner.state, where.empty() ? "" : " in " + where);
}

void add_wait(const GuestFacts& facts, const TaskActivity& first, Finding& finding) {
  if (!first.waiting) {
    finding.summary += ": in " + culprit_of(first.trace);
    return;
  }
  const Waiting& waiting = *first.waiting;
  finding.object = describe_object(waiting.wait);
  finding.summary += ": " + describe(waiting);
  finding.evidence.push_back({.what = fmt::format("{}, its waiter on the stack of", finding.object),
                              .value = name_and_pid(first.task),
                              .address = waiting.wait.object});
  if (!waiting.owner) return;
  finding.summary += ", " + describe_owner(facts, *waiting.owner);
  if (waiting.wait.owner_is_certain) finding.blocker = name_of_task(*waiting.owner);
}

// How long is too long depends on what is waited for; the kernel's own detector takes 120 s.
Grade grade_of(const std::vector<Blocked>& tasks, const Finding& finding) {
  constexpr std::uint64_t long_age = 20 * nsec_per_second;
  const bool several = tasks.size() > 1 || finding.blocker.has_value();
  return tasks.front().age >= long_age || (several && tasks.front().age >= certain_age)
             ? Grade::Strong
             : Grade::Weak;
}

Finding describe_group(const GuestFacts& facts, FindingKind kind,
                       const std::vector<Blocked>& tasks) {
  const TaskActivity& first = *tasks.front().activity;
  std::uint64_t oldest = 0;
  Finding finding;
  finding.kind = kind;
  for (const Blocked& task : tasks) {
    oldest = std::max(oldest, task.age);
    finding.tasks.push_back(
        {name_of_task(task.activity->task), begin_of(facts.time.now_nsec, task.age)});
  }
  finding.task = name_of_task(first.task);
  finding.cpu = first.task.cpu;
  finding.since_nsec = begin_of(facts.time.now_nsec, oldest);
  finding.summary = tasks.size() == 1
                        ? fmt::format("{} for {}", describe(*finding.task), seconds(oldest))
                        : fmt::format("{} tasks for up to {}, the first {}", tasks.size(),
                                      seconds(oldest), describe(*finding.task));
  finding.cause = summary_of(first.trace);
  finding.evidence.push_back({.what = fmt::format("{} is in D since", name_and_pid(first.task)),
                              .value = seconds(tasks.front().age),
                              .address = first.task.address});
  add_wait(facts, first, finding);
  finding.grade = grade_of(tasks, finding);
  return finding;
}

}  // namespace

std::vector<Finding> find_blocked_tasks(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const auto& [thing, tasks] : group(facts)) {
    findings.push_back(describe_group(facts, std::get<FindingKind>(thing), tasks));
  }
  return findings;
}

}  // namespace photon_dmesg
