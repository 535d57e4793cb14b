#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/code/code_map.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/tasks/tasks.h"
#include "kernel/unwind/stacks.h"
#include "kernel/unwind/unwinder.h"
#include "kernel/waits/activity.h"
#include "kernel/waits/waits.h"
#include "session/guest.h"
#include "session/guest_processors.h"

namespace photon_dmesg {

// The tasks of a guest, and what they and its vCPUs were doing: everything that takes the kernel's
// types, modules and stacks put together.
class GuestTasks {
 public:
  // Both must outlive this object. Throws Error(UnusableInput) if the guest's tasks can't be found.
  GuestTasks(const Guest& guest, Diagnostics& diagnostics);
  GuestTasks(const GuestTasks&) = delete;
  GuestTasks& operator=(const GuestTasks&) = delete;

  [[nodiscard]] const Tasks& tasks() const { return processors_.tasks(); }
  [[nodiscard]] const Cpus& cpus() const { return processors_.cpus(); }
  [[nodiscard]] const CodeMap& code() const { return code_; }
  [[nodiscard]] const KernelTypes& types() const { return processors_.types(); }

  // What each vCPU of the checkpoint was doing, in its order.
  [[nodiscard]] std::vector<VcpuActivity> vcpus() const;

  // The trace of any task: that of the vCPU that runs it, or from where it gave its CPU away.
  [[nodiscard]] Trace trace(const Task& task) const;

  // What every task was doing, in the order of tasks(). What is more than a sound guest can have is
  // left out, and that is said.
  [[nodiscard]] std::vector<TaskActivity> activities() const;

 private:
  [[nodiscard]] Trace trace(const Task& task, TraceBudgets* budgets) const;
  [[nodiscard]] const Vcpu* running_vcpu(const Task& task) const;
  [[nodiscard]] bool another_runs_on_cpu_of(const Task& task) const;
  [[nodiscard]] bool may_be_running(const Task& task) const;

  Diagnostics& diagnostics_;
  const GuestKernel& kernel_;
  GuestProcessors processors_;
  CodeMap code_;
  Stacks stacks_;
  Unwinder unwinder_;
  Waits waits_;
};

}  // namespace photon_dmesg
