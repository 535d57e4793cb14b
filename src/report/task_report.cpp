#include "report/task_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace photon_dmesg {
namespace {

// As people write it: "rw semaphore".
std::string words_of(WaitKind kind) {
  std::string name(name_of(kind));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

std::string describe(const TaskReport::Waiting& waiting) {
  const Wait& wait = waiting.wait;
  std::string text =
      fmt::format("{} {}", words_of(wait.kind), wait.name.value_or(fmt::format("{}", wait.object)));
  if (waiting.owner) {
    text += fmt::format(
        ", {} {}", wait.owner_is_certain ? "held by" : "held by readers, of whom the last may be",
        name_and_pid(*waiting.owner));
  }
  if (!waiting.cycle.empty()) {
    text += ": deadlock of";
    for (const Task& task : waiting.cycle) text += ' ' + name_and_pid(task);
  }
  return text;
}

std::vector<SourceLine> lines_of(const TaskReport& report, const Frame& frame) {
  if (!report.lines) return {};
  const auto found = report.lines->find(frame.instruction().value);
  return found == report.lines->end() ? std::vector<SourceLine>() : found->second;
}

std::optional<std::uint64_t> nsec_since_it_ran(const TaskReport& report, const Task& task) {
  if (!report.now_nsec || !task.last_ran_nsec || *task.last_ran_nsec == 0) return std::nullopt;
  return *report.now_nsec > *task.last_ran_nsec ? *report.now_nsec - *task.last_ran_nsec : 0;
}

}  // namespace photon_dmesg
