#include "triage/log/log_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "triage/log/faulty_function.h"
#include "triage/log/panic_origin.h"

namespace photon_dmesg {
namespace {

// How sure an event makes that what it says is so, seen once.
Grade grade_of(FindingKind kind) {
  switch (kind) {
    // A program's word, or what also happens to a healthy guest: a busy host, a mended error.
    case FindingKind::IoError:
    case FindingKind::ScsiAbort:
    case FindingKind::MachineCheck:
    case FindingKind::WorkqueueHog:
    case FindingKind::ClockUnstable:
    case FindingKind::TimeJump:
    case FindingKind::LinkFlap:
    case FindingKind::Balloon:
    case FindingKind::Segfault:
    case FindingKind::FailedUnit:
    case FindingKind::StarvedTasks:
    case FindingKind::MemoryLow:
    case FindingKind::DeviceStuck:
      return Grade::Weak;
    // What a guest that the host did not let run may report too.
    case FindingKind::SoftLockup:
    case FindingKind::BlockedTasks:
    case FindingKind::RcuStall:
    case FindingKind::StalledWorkers:
    case FindingKind::FileSystemError:
    case FindingKind::LockingError:  // most of lockdep's are of what might happen
    case FindingKind::Warning:
      return Grade::Strong;
    default:
      return Grade::Certain;
  }
}

Grade grade_of(const LogEvent& event) {
  constexpr std::uint64_t several = 3;
  const Grade grade = grade_of(event.kind);
  const bool is_kernels =
      event.kind != FindingKind::Segfault && event.kind != FindingKind::FailedUnit;
  const bool is_repeated = event.count + event.suppressed >= several;
  return grade == Grade::Weak && is_repeated && is_kernels ? Grade::Strong : grade;
}

std::string blocked_tasks(const LogEvent& event) {
  const std::string first = event.task ? describe(*event.task) : std::string("a task");
  const std::string seconds = event.detail("seconds");
  std::string text = event.tasks.empty()
                         ? first
                         : fmt::format("{} tasks, first {}", event.tasks.size() + 1, first);
  if (!seconds.empty()) text += fmt::format(" for more than {} s", seconds);
  return event.function.empty() ? text : text + " in " + event.function;
}

std::string out_of_memory(const LogEvent& event) {
  std::string text =
      event.detail("constraint") == "CONSTRAINT_MEMCG" ? "of a control group" : "of the guest";
  if (event.task) text += fmt::format(", asked for by {}", describe(*event.task));
  const std::string victim = event.detail("victim");
  if (!victim.empty()) text += fmt::format(", killed {}", victim);
  return text;
}

std::string summary_of(const LogEvent& event) {
  if (event.kind == FindingKind::BlockedTasks) return blocked_tasks(event);
  if (event.kind == FindingKind::OutOfMemory) return out_of_memory(event);
  std::string text = event.what;
  if (!event.object.empty()) text += (text.empty() ? "" : ": ") + event.object;
  const bool is_program = event.kind == FindingKind::Segfault;
  if (!event.function.empty() && event.kind != FindingKind::Panic) text += " in " + event.function;
  const std::string stuck = event.detail("stuck");
  if (!stuck.empty()) text += " for " + stuck;
  if (is_program && event.task) text += " in " + describe(*event.task);
  if (event.count > 1) text += fmt::format(", {} times", event.count);
  return text;
}

Witness witness_of(const LogEvent& event) {
  return {.what = event.headline, .record = event.first.seq, .nsec = event.first.ts_nsec};
}

void add_evidence(Finding& finding, const LogEvent& event) {
  finding.evidence.push_back(witness_of(event));
  const auto add = [&](const std::string& what, const std::string& value) {
    finding.evidence.push_back({.what = what, .value = value, .record = event.first.seq});
  };
  for (const auto& [name, value] : event.details) add(name, value);
  if (!event.taint.empty()) add("taint", event.taint);
  for (const LogPlace& repeat : event.repeats) {
    finding.evidence.push_back({.what = "again", .record = repeat.seq, .nsec = repeat.ts_nsec});
  }
}

void add_notes(Finding& finding, const LogEvent& event) {
  if (event.suppressed != 0) {
    finding.notes.push_back(
        fmt::format("the kernel did not print {} more of them", event.suppressed));
  }
  if (event.tasks.empty()) return;
  std::string others = "also";
  for (const TaskName& task : event.tasks)
    others += (&task == event.tasks.data() ? " " : ", ") + describe(task);
  finding.notes.push_back(others);
}

Finding finding_of(const LogEvent& event) {
  Finding finding;
  finding.kind = event.kind;
  finding.grade = grade_of(event);
  finding.summary = summary_of(event);
  finding.object = event.object;
  finding.cpu = event.cpu;
  if (event.task && event.task->pid >= 0) finding.task = event.task;
  finding.since_nsec = event.first.ts_nsec;
  finding.cause = describe_cause(event);
  add_evidence(finding, event);
  add_notes(finding, event);
  return finding;
}

// What a panic came after, as its summary goes on: some have their meaning from a title of their
// own.
std::string story_of(const LogEvent& origin) {
  if (origin.kind != FindingKind::OutOfMemory) return summary_of(origin);
  return origin.task ? describe(*origin.task) + " asked for memory" : "memory was used up";
}

// A panic's story begins with what it came of.
void add_origin(Finding& panic, const LogEvent& origin) {
  panic.summary += fmt::format(", after {}", story_of(origin));
  panic.evidence.insert(panic.evidence.begin(), witness_of(origin));
  panic.since_nsec = origin.first.ts_nsec;
  if (const std::string cause = describe_cause(origin); !cause.empty()) panic.cause = cause;
  if (origin.cpu) panic.cpu = origin.cpu;
  if (origin.task && origin.task->pid >= 0) panic.task = origin.task;
  if (panic.object.empty()) panic.object = origin.object;
}

// What came first and brought the kernel down, or left it damaged.
struct Turn {
  const LogEvent* panic = nullptr;
  const LogEvent* oops = nullptr;
};

Turn turn_of(const std::vector<LogEvent>& events) {
  Turn turn;
  for (const LogEvent& event : events) {
    if (turn.panic == nullptr && event.kind == FindingKind::Panic) turn.panic = &event;
    if (turn.oops == nullptr && event.kind == FindingKind::Oops) turn.oops = &event;
  }
  return turn;
}

// Of what `event` is a consequence; null if it stands for itself.
const LogEvent* reason_of(const LogEvent& event, const Turn& turn) {
  if (turn.panic != nullptr && event.first.seq > turn.panic->first.seq) return turn.panic;
  if (turn.oops == nullptr || event.first.seq <= turn.oops->first.seq) return nullptr;
  const bool is_damage =
      event.kind == FindingKind::Oops || event.taint.find('D') != std::string::npos;
  return is_damage && event.kind != FindingKind::Panic ? turn.oops : nullptr;
}

}  // namespace

std::vector<Finding> findings_of(const std::vector<LogEvent>& events) {
  const Turn turn = turn_of(events);
  std::vector<Finding> findings;
  std::vector<const LogEvent*> sources;
  for (const LogEvent& event : events) {
    if (reason_of(event, turn) != nullptr) continue;
    findings.push_back(finding_of(event));
    sources.push_back(&event);
    const LogEvent* const origin = origin_of(event, events);
    if (origin != nullptr) add_origin(findings.back(), *origin);
  }
  for (const LogEvent& event : events) {
    const LogEvent* const reason = reason_of(event, turn);
    const auto at = std::find(sources.begin(), sources.end(), reason);
    if (reason == nullptr || at == sources.end()) continue;
    findings[static_cast<std::size_t>(at - sources.begin())].consequences.push_back(
        finding_of(event));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.kind < b.kind; });
  return findings;
}

std::vector<BootFindings> findings_by_boot(const std::vector<LogEvent>& events) {
  std::map<std::uint64_t, std::vector<LogEvent>> boots = {{0, {}}};
  for (const LogEvent& event : events) boots[event.boots_ago].push_back(event);
  std::vector<BootFindings> findings;
  findings.reserve(boots.size());
  for (const auto& [boots_ago, of_boot] : boots) {
    findings.push_back({boots_ago, findings_of(of_boot)});
  }
  return findings;
}

}  // namespace photon_dmesg
