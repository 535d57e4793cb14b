#include "triage/log/log_event.h"

#include <algorithm>

namespace photon_dmesg {

std::string LogEvent::detail(std::string_view name) const {
  const auto found = std::find_if(details.begin(), details.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == details.end() ? std::string() : found->second;
}

void LogEvent::add_detail(std::string_view name, std::string_view value) {
  if (value.empty() || details.size() >= most_details || !detail(name).empty()) return;
  details.emplace_back(name, kept_text(value));
}

std::string kept_text(std::string_view text) {
  return std::string(text.substr(0, LogEvent::longest_text));
}

bool is_repeat(const LogEvent& event, const LogEvent& later) {
  if (event.kind != later.kind || event.boots_ago != later.boots_ago) return false;
  switch (event.kind) {
    case FindingKind::BlockedTasks:  // one jam, however many tasks stand in it
    case FindingKind::RcuStall:
    case FindingKind::StarvedTasks:
      return true;
    case FindingKind::OutOfMemory:
      return event.detail("constraint") == later.detail("constraint");
    case FindingKind::SoftLockup:
    case FindingKind::HardLockup:
      return event.cpu == later.cpu;
    case FindingKind::Segfault:
      return event.task && later.task && event.task->comm == later.task->comm;
    default:
      return event.what == later.what && event.object == later.object &&
             event.function == later.function;
  }
}

namespace {

void add_task(LogEvent& event, const TaskName& task) {
  const auto is_it = [&](const TaskName& known) {
    return known.pid == task.pid && known.comm == task.comm;
  };
  const bool is_known = (event.task && is_it(*event.task)) ||
                        std::any_of(event.tasks.begin(), event.tasks.end(), is_it);
  if (!is_known && event.tasks.size() < LogEvent::most_tasks) event.tasks.push_back(task);
}

}  // namespace

void add_repeat(LogEvent& event, LogEvent other) {
  // A report may end after another that began later.
  if (other.first.seq < event.first.seq) std::swap(event, other);
  event.count += other.count;
  event.suppressed += other.suppressed;
  if (event.last.seq < other.last.seq) event.last = other.last;
  other.repeats.insert(other.repeats.begin(), other.first);
  for (const LogPlace& repeat : other.repeats) {
    if (event.repeats.size() < LogEvent::most_repeats) event.repeats.push_back(repeat);
  }
  if (other.task) add_task(event, *other.task);
  for (const TaskName& task : other.tasks) add_task(event, task);
}

}  // namespace photon_dmesg
