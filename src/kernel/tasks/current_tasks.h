#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/tasks/tasks.h"

namespace photon_dmesg {

// What is known of a CPU without knowing its variables.
struct CpuAtStop {
  std::uint32_t number = 0;
  GuestVirtual area;  // of its per-CPU variables
  bool in_user_mode = false;
  std::optional<GuestVirtual> on_stack;  // the task on whose stack it is, if it is on one
};

// The task that each of `cpus` was running (current_task, rq.curr), found by its form: the places
// in their areas that have a task on each CPU, which fits what is known of the CPU. Empty unless at
// least two places say so and none says otherwise.
[[nodiscard]] std::map<std::uint32_t, GuestVirtual> find_current_tasks(
    const KernelMemory& memory, const Tasks& tasks, std::span<const CpuAtStop> cpus);

}  // namespace photon_dmesg
