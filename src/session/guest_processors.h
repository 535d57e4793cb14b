#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/tasks/tasks.h"
#include "session/guest.h"

namespace photon_dmesg {

// A vCPU, with the registers that it had in the guest's kernel.
struct Processor {
  Vcpu vcpu;
  std::uint32_t index = 0;   // the checkpoint's number
  const Cpu* cpu = nullptr;  // null: it is not known which one it is
  bool runs_kernel = true;   // false: its registers are another kernel's, or a firmware's
  std::optional<Task> task;  // the current one
  // Which of the witnesses of it agree, as a phrase: "current_task, rq.curr and the stack".
  std::string witnesses;
};

// The tasks of a guest, and which of them each of its vCPUs runs.
class GuestProcessors {
 public:
  // `guest` must outlive this object. Throws Error(UnusableInput) if the guest's tasks can't be
  // found.
  GuestProcessors(const Guest& guest, Diagnostics& diagnostics);
  GuestProcessors(const GuestProcessors&) = delete;
  GuestProcessors& operator=(const GuestProcessors&) = delete;

  [[nodiscard]] const KernelTypes& types() const { return types_; }
  [[nodiscard]] const Cpus& cpus() const { return cpus_; }
  [[nodiscard]] const Tasks& tasks() const { return tasks_; }
  // In the checkpoint's order.
  [[nodiscard]] const std::vector<Processor>& all() const { return processors_; }

  // Says in what the sources of types() have contradicted each other, as far as they were asked.
  void warn_of_doubts(Diagnostics& diagnostics) const;

 private:
  void find(Diagnostics& diagnostics);
  void find_by_form();
  void find_by_tasks(Processor& processor) const;
  [[nodiscard]] bool is_in_kernel(const Vcpu& vcpu) const;
  [[nodiscard]] std::optional<GuestVirtual> task_of_stack(const Processor& processor) const;
  void find_current_task(Processor& processor, Diagnostics& diagnostics) const;

  const Guest& guest_;
  KernelTypes types_;
  Cpus cpus_;
  std::optional<GuestVirtual> first_task_;  // the first CPU's idle task
  Tasks tasks_;
  std::vector<Processor> processors_;
};

}  // namespace photon_dmesg
