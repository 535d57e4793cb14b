#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "kernel/symbols/source_line.h"
#include "kernel/waits/activity.h"
#include "report/report.h"

namespace photon_dmesg {

// What photon-dmesg bt and photon-dmesg ps print. What is not known is absent.
struct TaskReport {
  GuestInfo guest;
  SourceInfo source;
  std::optional<std::uint64_t> now_nsec;  // when the guest stopped, by the clock of Task's times

  std::vector<VcpuActivity> vcpus;

  struct Row {
    Task task;
    std::optional<Trace> trace;
    std::optional<Waiting> waiting;
    // Further tasks with the very same trace, which are not rows of their own.
    std::vector<Task> folded;
    unsigned depth = 0;  // below its parent, in a tree
  };
  std::vector<Row> tasks;

  // The source of the frames' instructions, by Frame::instruction(), if lines were asked for.
  std::optional<LinesByAddress> lines;

  std::vector<std::string> warnings;  // what the user was told
};

// Those of `frame` in there; empty if there are none.
[[nodiscard]] std::vector<SourceLine> lines_of(const TaskReport& report, const Frame& frame);

// For how long `task` has waited, or has been running; nothing if that can't be told.
[[nodiscard]] std::optional<std::uint64_t> nsec_since_it_ran(const TaskReport& report,
                                                             const Task& task);

// For people: traces as the kernel prints them.
void write_traces_text(const TaskReport& report, std::ostream& out);
// One line a task.
void write_tasks_text(const TaskReport& report, std::ostream& out);

// One JSON document; docs/formats.md describes both.
void write_traces_json(const TaskReport& report, std::ostream& out);
void write_tasks_json(const TaskReport& report, std::ostream& out);
// A line for each vCPU and task.
void write_task_lines(const TaskReport& report, std::ostream& out);

}  // namespace photon_dmesg
