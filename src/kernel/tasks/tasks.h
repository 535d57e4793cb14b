#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/task_reader.h"

namespace photon_dmesg {

// All threads of a guest, by pid.
class Tasks {
 public:
  // Walks the kernel's list of processes and each one's list of threads, and then the table of all
  // pids, which has the same tasks once more: where a list is cut, the rest comes from there. What
  // may still be missing is said. `init_task`: where that is, if no symbol tells. Throws
  // Error(UnusableInput) if the list can't even be begun. `kernel` and `types` must outlive this
  // object.
  Tasks(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus,
        std::optional<GuestVirtual> init_task, Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<Task>& all() const { return tasks_; }
  // Null if there is none.
  [[nodiscard]] const Task* find(GuestVirtual task_struct) const;
  // The one on whose kernel stack `address` is.
  [[nodiscard]] const Task* find_stack(GuestVirtual address) const;

  // Any task_struct, such as an idle task, which no list has; nothing if there is none.
  [[nodiscard]] std::optional<Task> read(GuestVirtual task_struct) const {
    return reader_.read(task_struct);
  }

 private:
  void walk_lists(GuestVirtual init_task, Diagnostics& diagnostics);
  void add_threads(GuestVirtual leader, std::vector<std::string>& broken);
  void add(GuestVirtual task_struct);
  [[nodiscard]] std::optional<Task> read_or_count(GuestVirtual task_struct);
  void warn_of_unreadable(Diagnostics& diagnostics) const;
  void add_by_pid(Diagnostics& diagnostics);
  void make_indices();

  const GuestKernel& kernel_;
  const KernelTypes& types_;
  TaskReader reader_;
  std::vector<Task> tasks_;
  std::unordered_map<std::uint64_t, std::size_t> by_address_;
  std::map<std::uint64_t, std::size_t> by_stack_;
  // Their task_structs: lists that are damaged may lead to one several times.
  std::unordered_set<std::uint64_t> known_;
  std::size_t nodes_left_;  // that lists of threads may still have, all in all
  bool is_cut_ = false;     // a list was
  std::size_t named_ = 0;   // those of which no more than pid and name can be read
  std::size_t lost_ = 0;    // and those of which not even that can
};

}  // namespace photon_dmesg
