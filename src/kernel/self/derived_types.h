#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// The place of some members of task_struct, and of what tasks lead to, as the tasks in the guest's
// memory show it: for a kernel without symbols and without types. Each member is the only one that
// has, in every task looked at, what it must have: a process's number, a stack that ends in its
// mark, a stack pointer in that stack. What two places fit is left out, and so is what the kernel's
// version would have to tell.
//
// task_struct has, as far as they are found: tasks, comm, pid, tgid, stack, thread (of which
// thread_struct is the member sp alone, or of arm64 cpu_context with fp, sp and pc), real_parent,
// group_leader, signal, thread_node, flags, the state, under both names that it has had, as the
// four bytes that matter, cpu and se. signal_struct has thread_head, sched_entity exec_start,
// sum_exec_runtime and prev_sum_exec_runtime. The layouts are as large as these members reach.
class DerivedTypes final : public TypeSource {
 public:
  // Null if the tasks are not found, or if more than one reading of memory fits.
  [[nodiscard]] static std::shared_ptr<const DerivedTypes> find(const KernelImage& image,
                                                                Diagnostics& diagnostics);

  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

  // Where the first CPU's idle task is, at run time: it begins the list of all tasks.
  [[nodiscard]] GuestVirtual init_task() const { return init_task_; }

 private:
  DerivedTypes(GuestVirtual init_task, std::map<std::string, StructLayout, std::less<>> structs)
      : init_task_(init_task), structs_(std::move(structs)) {}

  std::string name_ = "the guest's tasks themselves";
  GuestVirtual init_task_;
  std::map<std::string, StructLayout, std::less<>> structs_;
};

}  // namespace photon_dmesg
