#include "report/task_report.h"

namespace photon_dmesg {
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
