#pragma once

#include <string_view>

#include "report/task_report.h"

// How the rows of a report are put in order.
namespace photon_dmesg {

// By "pid", "time" (those that have not run for the longest time first), "state", "cpu" or "comm".
// Rows that are equal in that stay as they were.
void sort_rows(TaskReport& report, std::string_view by);

// Puts each task behind its parent, below which its depth is one more.
void make_tree(TaskReport& report);

// Takes rows with the same state and the very same trace together, unless they wait for different
// locks that somebody has.
void fold_same_traces(TaskReport& report);

}  // namespace photon_dmesg
