#include "triage/rules/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

using Rule = std::vector<Finding> (*)(const GuestFacts& facts);

// Of a guest that has panicked, whose panic has stopped everything: what was wrong before.
constexpr std::array rules_of_dead = {find_oops,
                                      find_deadlocks,
                                      find_stalled_storage,
                                      find_frozen_file_systems,
                                      find_blocked_tasks,
                                      find_stopped_file_systems,
                                      find_memory_shortage};
constexpr std::array rules_of_living = {
    find_oops,           find_deadlocks,       find_hard_lockups,
    find_soft_lockups,   find_stalled_storage, find_frozen_file_systems,
    find_blocked_tasks,  find_rcu_stall,       find_stalled_workers,
    find_busy_workers,   find_starved_tasks,   find_stopped_file_systems,
    find_memory_shortage};

bool is_lockup(const Finding& finding) {
  return finding.kind == FindingKind::HardLockup || finding.kind == FindingKind::SoftLockup;
}

bool concerns(const Finding& finding, std::int32_t pid) {
  return (finding.task && finding.task->pid == pid) ||
         std::any_of(finding.tasks.begin(), finding.tasks.end(),
                     [pid](const AffectedTask& task) { return task.name.pid == pid; });
}

// Whether `finding` only says that other CPUs don't answer the one that takes no interrupts.
bool is_victim_of(const Finding& finding, const Finding& cause, const GuestFacts& facts) {
  if (finding.kind != FindingKind::SoftLockup || cause.kind != FindingKind::HardLockup)
    return false;
  const VcpuActivity* vcpu = finding.cpu ? vcpu_of(facts, *finding.cpu) : nullptr;
  return vcpu != nullptr && waits_for_other_cpus(vcpu->trace);
}

bool is_on_same_cpu(const Finding& finding, const Finding& cause) {
  const bool follows =
      finding.kind == FindingKind::RcuStall || finding.kind == FindingKind::StalledWorkers ||
      finding.kind == FindingKind::StarvedTasks || finding.kind == FindingKind::WorkqueueHog;
  return follows && is_lockup(cause) && finding.cpu == cause.cpu;
}

// RCU's thread, or a worker, that gets no time is starved by whoever starves the others.
bool follows_starvation(const Finding& finding, const Finding& cause) {
  return cause.kind == FindingKind::StarvedTasks &&
         (finding.kind == FindingKind::RcuStall || finding.kind == FindingKind::StalledWorkers) &&
         finding.cpu == cause.cpu;
}

// Whether `finding` is of who needs every CPU to answer, as RCU does, and who waits for that.
bool waits_for_cpus(const Finding& finding, const GuestFacts& facts) {
  if (finding.kind != FindingKind::BlockedTasks) return false;
  return std::any_of(facts.tasks.begin(), facts.tasks.end(), [&](const TaskActivity& activity) {
    return finding.task && activity.task.pid == finding.task->pid &&
           (waits_for_other_cpus(activity.trace) ||
            calls_any(activity.trace,
                      {"synchronize_rcu*", "synchronize_sched*", "wait_rcu_gp*", "__wait_rcu_gp",
                       "rcu_barrier*", "flush_work*", "__flush_work", "synchronize_net",
                       "stop_machine*", "stop_one_cpu", "lru_add_drain_all*", "kthread_stop*"}));
  });
}

// A CPU that a lock-up stops holds up all that need every CPU to answer.
bool holds_up_cpus(const Finding& cause) {
  return is_lockup(cause) || cause.kind == FindingKind::RcuStall;
}

// Whether `finding` came of `cause`.
bool is_consequence(const Finding& finding, const Finding& cause, const GuestFacts& facts) {
  if (finding.blocker && concerns(cause, finding.blocker->pid)) return true;
  return is_victim_of(finding, cause, facts) || is_on_same_cpu(finding, cause) ||
         follows_starvation(finding, cause);
}

// Whether both name the same thing: the log names a file system by its device alone, "sda1", memory
// by its type too, "sda1 (ext4)".
bool is_same_object(const std::string& logged, const std::string& found) {
  return logged.empty() || found.empty() || logged == found || found.starts_with(logged + ' ');
}

// What the log says of what memory says too is evidence for that, not another finding.
bool is_told_of(const Finding& logged, const Finding& finding) {
  if (logged.kind == finding.kind) {
    // What is wrong with a CPU is told apart by that, and what it is about is named otherwise
    // there.
    const bool is_of_cpu = is_lockup(finding) || finding.kind == FindingKind::StalledWorkers;
    const bool is_same_place = is_of_cpu ? !logged.cpu || logged.cpu == finding.cpu
                                         : is_same_object(logged.object, finding.object);
    const bool is_same_task = finding.kind != FindingKind::BlockedTasks || !logged.task ||
                              concerns(finding, logged.task->pid);
    if (is_same_place && is_same_task) return true;
  }
  // The kernel's hung-task detector does not tell what they wait for.
  return logged.kind == FindingKind::BlockedTasks && logged.task &&
         concerns(finding, logged.task->pid);
}

// Rules that a finding of the log has gone into already.
bool is_taken(FindingKind kind) {
  return kind == FindingKind::Panic || kind == FindingKind::Oops ||
         kind == FindingKind::OutOfMemory;
}

bool add_as_evidence(const Finding& logged, std::vector<Finding>& findings) {
  const auto told = std::ranges::find_if(findings, [&](const Finding& finding) {
    return !is_taken(finding.kind) && is_told_of(logged, finding);
  });
  if (told == findings.end()) return false;
  std::ranges::copy(logged.evidence, std::back_inserter(told->evidence));
  std::ranges::copy(logged.notes, std::back_inserter(told->notes));
  std::ranges::copy(logged.consequences, std::back_inserter(told->consequences));
  if (told->grade == Grade::Weak) told->grade = Grade::Strong;
  return true;
}

// Whether the log still told of it when `cause`, which goes on, had begun; so if that is not known.
bool is_at_time_of(const Finding& logged, const Finding& cause) {
  if (!logged.since_nsec || !cause.since_nsec) return true;
  return *logged.since_nsec >= *cause.since_nsec ||
         std::ranges::any_of(logged.evidence, [&](const Witness& witness) {
           return witness.nsec.value_or(0) >= *cause.since_nsec;
         });
}

// A detector names the CPU that it finds stuck, which may only wait for the one that is.
bool add_as_victim(const Finding& logged, std::vector<Finding>& findings) {
  if (!is_lockup(logged) && logged.kind != FindingKind::RcuStall) return false;
  const auto cause = std::ranges::find_if(findings, [&](const Finding& finding) {
    return is_lockup(finding) && finding.cpu != logged.cpu && is_at_time_of(logged, finding);
  });
  if (cause == findings.end()) return false;
  cause->notes.push_back(fmt::format("the log names another victim: {}", logged.summary));
  std::ranges::copy(logged.evidence, std::back_inserter(cause->against));
  return true;
}

// Whether memory, as far as it could be read, would show it if it still were so.
bool would_show(const GuestFacts& facts, const Finding& logged) {
  if (is_lockup(logged)) return can_show_lockup(facts, logged.cpu);
  if (logged.kind == FindingKind::BlockedTasks) return has_ages(facts);
  // Of workers those of one CPU are looked at, but not the ones for softirqs ("flags=0x1 bh").
  if (logged.kind == FindingKind::StalledWorkers) {
    const bool is_softirqs = logged.object.find(" bh") != std::string::npos;
    return logged.cpu && can_show_workers(facts, *logged.cpu) && !is_softirqs;
  }
  return logged.kind == FindingKind::RcuStall && facts.has_rcu;
}

// A panic that the kernel denies: it stops no search for what else is wrong, and comes last.
bool is_denied(const Finding& finding) {
  return finding.kind == FindingKind::Panic && finding.grade == Grade::Weak;
}

void put_in_order(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    if (is_denied(left) != is_denied(right)) return is_denied(right);
    if (left.kind != right.kind) return left.kind < right.kind;
    if (left.grade != right.grade) return left.grade < right.grade;
    return left.since_nsec.value_or(0) < right.since_nsec.value_or(0);
  });
}

// There may be any number of things wrong, or a guest may look so. Of a kind the first so many are
// kept, and the last of them says how many more there are, with `who` in front: "the log tells of".
std::vector<Finding> first_of_each_kind(std::vector<Finding> findings, std::size_t most_of_kind,
                                        std::string_view who) {
  put_in_order(findings);
  std::map<FindingKind, std::size_t> totals;
  for (const Finding& finding : findings) ++totals[finding.kind];
  std::map<FindingKind, std::size_t> counts;
  std::vector<Finding> kept;
  for (Finding& finding : findings) {
    const std::size_t count = ++counts[finding.kind];
    if (count > most_of_kind) continue;
    const std::size_t left_out = totals[finding.kind] - count;
    if (count == most_of_kind && left_out > 0) {
      finding.notes.push_back(fmt::format("{} {} more of this kind", who, left_out));
    }
    kept.push_back(std::move(finding));
  }
  return kept;
}

// Adds what the log tells to those `findings` of memory's that it tells of, and returns the others
// that it has: what it says of one thing is no evidence for another that it says too.
std::vector<Finding> take_logged(const GuestFacts& facts, bool is_dead,
                                 std::vector<Finding>& findings) {
  std::vector<Finding> others;
  for (const Finding& logged : logged_findings(facts)) {
    if (is_taken(logged.kind) || add_as_evidence(logged, findings) ||
        add_as_victim(logged, findings)) {
      continue;
    }
    Finding& other = others.emplace_back(logged);
    if (!would_show(facts, logged) || is_dead) continue;
    other.grade = Grade::Weak;
    other.notes.emplace_back("it was over when the guest stopped");
  }
  constexpr std::size_t most_of_kind = 16;
  return first_of_each_kind(std::move(others), most_of_kind, "the log tells of");
}

// Hangs each finding below the first other one that it came of. `findings` are in order.
std::vector<Finding> subtract_consequences(std::vector<Finding> findings, const GuestFacts& facts) {
  const std::size_t count = findings.size();
  std::vector<std::size_t> parent(count, count);
  const auto comes_of = [&](std::size_t child, std::size_t ancestor) {
    for (std::size_t at = ancestor; at != count; at = parent[at]) {
      if (at == child) return true;
    }
    return false;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const bool needs_cpus = waits_for_cpus(findings[i], facts);
    for (std::size_t cause = 0; cause < count && parent[i] == count; ++cause) {
      if (cause == i || comes_of(i, cause)) continue;
      if (is_consequence(findings[i], findings[cause], facts) ||
          (needs_cpus && holds_up_cpus(findings[cause]))) {
        parent[i] = cause;
      }
    }
  }
  // Below the cause of the cause, in one level: how it came about, each says itself.
  const auto root_of = [&](std::size_t i) {
    while (parent[i] != count) i = parent[i];
    return i;
  };
  std::vector<Finding> causes;
  std::vector<std::size_t> place(count, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (parent[i] != count) continue;
    place[i] = causes.size();
    causes.push_back(findings[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (parent[i] != count) causes[place[root_of(i)]].consequences.push_back(findings[i]);
  }
  return causes;
}

std::vector<std::string> circumstances(const GuestFacts& facts) {
  std::vector<std::string> result;
  switch (facts.panic.system_state.value_or(SystemState::Running)) {
    case SystemState::Booting:
      result.emplace_back("it was booting");
      break;
    case SystemState::ShuttingDown:
      result.emplace_back("it was shutting down");
      break;
    case SystemState::Suspending:
      result.emplace_back("it was going to sleep");
      break;
    case SystemState::Running:
      break;
  }
  return result;
}

}  // namespace

Verdict judge(const GuestFacts& facts) {
  Verdict verdict;
  verdict.circumstances = circumstances(facts);
  std::vector<Finding> findings = find_panic(facts);
  const bool is_dead = !findings.empty() && !is_denied(findings.front());
  for (const Rule rule : is_dead ? std::span<const Rule>(rules_of_dead) : rules_of_living) {
    std::ranges::move(rule(facts), std::back_inserter(findings));
  }
  put_in_order(findings);
  std::vector<Finding> logged = take_logged(facts, is_dead, findings);
  // Comparing each with each has its limits. The log's own findings among them are fewer.
  constexpr std::size_t most_of_kind = 512;
  findings = first_of_each_kind(std::move(findings), most_of_kind, "memory shows");
  findings = subtract_consequences(std::move(findings), facts);
  std::ranges::move(logged, std::back_inserter(findings));
  put_in_order(findings);
  verdict.findings = std::move(findings);
  return verdict;
}

}  // namespace photon_dmesg
