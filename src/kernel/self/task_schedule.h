#pragma once

#include <optional>
#include <span>

#include "kernel/self/task_bytes.h"

namespace photon_dmesg {

// Where tasks keep what the scheduler counts of them (struct sched_entity, task_struct.se).
struct TaskSchedule {
  TaskPlace begin = 0;       // of the structure
  TaskPlace exec_start = 0;  // when their time on a CPU was last counted, nanoseconds
  // The time that they have had, and what of it they had when they last got a CPU: absent if two
  // places fit.
  std::optional<TaskPlace> runtime_when_picked;
};

// By its form: it begins with a weight and the inverse of that, as the kernel's table of weights
// has them; further on a list node is followed by whether the task is queued, exec_start and
// sum_exec_runtime, in every version from 2.6.23 to 7.3 (include/linux/sched.h). Nothing if no
// place, or more than one, fits all `tasks`.
[[nodiscard]] std::optional<TaskSchedule> find_task_schedule(std::span<const TaskBytes> tasks);

// Where a task has the CPU that it ran on last: in the thread_info with which a task_struct begins
// (since 5.16), as the threads tell that belong to a CPU and have its number in their names, such
// as "ksoftirqd/1" and "migration/1". `begin` is that of the task_struct, `comm` the place of the
// name. Nothing if they don't tell: of one CPU they don't.
[[nodiscard]] std::optional<TaskPlace> find_task_cpu(std::span<const TaskBytes> tasks,
                                                     TaskPlace begin, TaskPlace comm);

}  // namespace photon_dmesg
