#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/tasks/task_reader.h"
#include "kernel/unwind/trace.h"
#include "kernel/waits/spinlock.h"
#include "kernel/waits/wait.h"

// What a guest's tasks and processors were doing: values that say so, without the guest.
namespace photon_dmesg {

// What one vCPU was doing.
struct VcpuActivity {
  std::uint32_t vcpu = 0;            // the checkpoint's number
  std::optional<std::uint32_t> cpu;  // the kernel's
  // false: the checkpoint lacks them, and whether it was in user mode is not known.
  bool has_registers = true;
  bool in_user_mode = false;
  bool runs_kernel = true;  // false: its registers are another kernel's, or a firmware's
  std::optional<bool> takes_interrupts;
  std::optional<Task> task;  // the current one
  // Which of the witnesses of it agree, as a phrase: "current_task, rq.curr and the stack".
  std::string witnesses;
  Trace trace;
  std::optional<SpinLock> spins_on;
};

// "user" or "kernel"; nothing if it is not known.
[[nodiscard]] inline std::optional<std::string> mode_of(const VcpuActivity& vcpu) {
  if (!vcpu.has_registers) return std::nullopt;
  return vcpu.in_user_mode ? "user" : "kernel";
}

// What a task waits for, and who has it.
struct Waiting {
  Wait wait;
  std::optional<Task> owner;
  std::vector<Task> cycle;  // tasks that wait for each other in a circle, beginning with this one
};

// What one task was doing.
struct TaskActivity {
  Task task;
  Trace trace;
  std::optional<Waiting> waiting;
};

// "mutex lab_a [lab]".
[[nodiscard]] std::string describe_object(const Wait& wait);
// "held by sh (123)"; empty if it is not known who has it.
[[nodiscard]] std::string describe_holder(const Waiting& waiting);
// "mutex lab_a [lab], held by sh (123)".
[[nodiscard]] std::string describe(const Waiting& waiting);

}  // namespace photon_dmesg
