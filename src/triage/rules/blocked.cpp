#include "triage/rules/blocked.h"

#include <fmt/format.h>

#include <algorithm>

#include "triage/rules/frames.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

bool is_blocked(const TaskActivity& activity) {
  return activity.task.state == 'D' && !activity.task.is_frozen &&
         !waits_for_vfork(activity.trace) && !sleeps_for_time(activity.trace) &&
         !(activity.waiting && !activity.waiting->cycle.empty());
}

BlockedIn place_of(const GuestFacts& facts, const TaskActivity& activity) {
  if (frozen_file_system(facts, activity) != nullptr) return BlockedIn::Freeze;
  const bool waits_for_disk = waits_for_io(activity.trace) || waits_for_journal(activity.trace);
  return waits_for_disk ? BlockedIn::Storage : BlockedIn::Other;
}

// Who sleeps with a lock that others want keeps it for longer than a moment.
bool is_behind_sleeper(const TaskActivity& activity) {
  if (!activity.waiting || !activity.waiting->owner) return false;
  const Task& owner = *activity.waiting->owner;
  return activity.waiting->wait.owner_is_certain && !owner.on_cpu && owner.state != 'R';
}

// What the owner of a lock does with it.
std::string describe_owner(const GuestFacts& facts, const TasksByAddress& all, const Task& owner) {
  for (const VcpuActivity& vcpu : facts.vcpus) {
    if (vcpu.task && vcpu.task->address == owner.address) {
      return fmt::format("which runs on CPU {}", vcpu.cpu.value_or(vcpu.vcpu));
    }
  }
  const TaskActivity* activity = all.find(owner.address);
  if (activity == nullptr || owner.state == 'X' || owner.state == 'Z') return "which is gone";
  const std::string where = culprit_of(activity->trace);
  return fmt::format("which is in {}{}", owner.state, where.empty() ? "" : " in " + where);
}

void add_wait(const GuestFacts& facts, const TasksByAddress& all, const TaskActivity& first,
              Finding& finding) {
  if (!first.waiting) {
    if (finding.object.empty()) finding.summary += ": in " + culprit_of(first.trace);
    return;
  }
  const Waiting& waiting = *first.waiting;
  if (finding.object.empty()) {
    finding.object = describe_object(waiting.wait);
    finding.summary += ": " + describe(waiting);
  }
  finding.evidence.push_back(witness_of(waiting, first.task));
  if (!waiting.owner) return;
  finding.summary += ", " + describe_owner(facts, all, *waiting.owner);
  // Of readers the last is known, who may have gone on; one who has not, they wait for too.
  if (waiting.wait.owner_is_certain || waiting.owner->state == 'D') {
    finding.blocker = name_of_task(*waiting.owner);
  }
}

}  // namespace

const FileSystem* frozen_file_system(const GuestFacts& facts, const TaskActivity& activity) {
  if (!activity.waiting) return nullptr;
  const Wait& wait = activity.waiting->wait;
  // Until 5.6 a percpu_rw_semaphore has an rw_semaphore in it, in which its readers wait.
  if (wait.kind != WaitKind::PercpuRwSemaphore && wait.kind != WaitKind::RwSemaphore) {
    return nullptr;
  }
  const auto found = std::find_if(
      facts.file_systems.begin(), facts.file_systems.end(), [&](const FileSystem& file_system) {
        return file_system.frozen.value_or(0) > 0 &&
               std::ranges::any_of(file_system.freeze_locks, [&](GuestVirtual lock) {
                 return wait.object - lock < file_system.freeze_lock_size;
               });
      });
  return found == facts.file_systems.end() ? nullptr : &*found;
}

std::vector<BlockedTask> blocked_tasks(const GuestFacts& facts, BlockedIn where) {
  std::vector<BlockedTask> tasks;
  const bool knows_ages = has_ages(facts);
  for (const TaskActivity& activity : facts.tasks) {
    if (!is_blocked(activity)) continue;
    const auto age = nsec_off_cpu(facts, activity.task);
    if (knows_ages ? age.value_or(0) < least_age : !is_behind_sleeper(activity)) continue;
    if (place_of(facts, activity) == where) tasks.push_back({&activity, age});
  }
  std::stable_sort(
      tasks.begin(), tasks.end(),
      [](const BlockedTask& left, const BlockedTask& right) { return left.age > right.age; });
  return tasks;
}

void add_blocked(const GuestFacts& facts, const TasksByAddress& all,
                 const std::vector<BlockedTask>& tasks, Finding& finding) {
  if (tasks.empty()) return;
  const TaskActivity& first = *tasks.front().activity;
  std::optional<std::uint64_t> oldest;
  for (const BlockedTask& task : tasks) {
    oldest = std::max(oldest, task.age);
    finding.tasks.push_back(
        {name_of_task(task.activity->task), begin_of(facts.time.now_nsec, task.age)});
  }
  finding.task = name_of_task(first.task);
  finding.cpu = first.task.cpu;
  const auto since = begin_of(facts.time.now_nsec, oldest);
  if (!finding.since_nsec) finding.since_nsec = since;
  if (since && *since < *finding.since_nsec) finding.since_nsec = since;
  if (!finding.summary.empty()) finding.summary += ", ";
  finding.summary +=
      tasks.size() == 1
          ? describe(*finding.task) + (oldest ? " for " + seconds(*oldest) : "")
          : fmt::format("{} tasks{}, the first {}", tasks.size(),
                        oldest ? " for up to " + seconds(*oldest) : "", describe(*finding.task));
  finding.cause = summary_of(first.trace);
  const std::optional<std::uint64_t>& age = tasks.front().age;
  finding.evidence.push_back(
      {.what = age ? fmt::format("{} has been in D for {}", name_and_pid(first.task), seconds(*age))
                   : name_and_pid(first.task) + " is in D",
       .address = first.task.address});
  add_wait(facts, all, first, finding);
}

}  // namespace photon_dmesg
