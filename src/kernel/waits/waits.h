#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/budget.h"
#include "base/diagnostics.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/storage/storage_names.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/tasks.h"
#include "kernel/unwind/trace.h"
#include "kernel/waits/wait.h"
#include "kernel/waits/wait_forms.h"

namespace photon_dmesg {

// Finds what sleeping tasks wait for: the object on the stack by which a task is woken, proved by
// the ring of all who wait with it, leads to the lock, and the lock to its owner.
class Waits {
 public:
  // All must outlive this object.
  Waits(const GuestKernel& kernel, const KernelTypes& types, const Tasks& tasks,
        const CodeMap& code);

  // What `task` waits for; `trace` is its own. Nothing if it does not sleep, or for nothing that is
  // known.
  [[nodiscard]] std::optional<Wait> find(const Task& task, const Trace& trace) const;

  // Says so if what may be waiters, or what was looked through for them, was more than in any sound
  // guest: of the rest no waits are found.
  void warn_if_exceeded(Diagnostics& diagnostics) const;

 private:
  [[nodiscard]] bool is_on_stack(const Task& task, GuestVirtual address) const;
  [[nodiscard]] std::optional<Wait> find_rt_mutex(const Task& task) const;
  [[nodiscard]] std::optional<Wait> find_on_stack(const Task& task, WaitKind kind) const;
  [[nodiscard]] std::optional<Wait> read_waiter(const Task& task, const WaitForm& form,
                                                GuestVirtual waiter) const;
  [[nodiscard]] std::optional<GuestVirtual> find_object(const Task& task, const WaitForm& form,
                                                        GuestVirtual waiter) const;
  // All who wait for one thing.
  struct Ring {
    bool is_sound = false;  // its nodes name each other all around
    std::optional<GuestVirtual>
        head;  // the node that is part of the object; since 7.0 there is none
  };
  using RingKey = std::pair<std::uint64_t, std::uint64_t>;  // a node, and from it to the task

  [[nodiscard]] std::optional<std::size_t> ring_of(const WaitForm& form, GuestVirtual node) const;
  [[nodiscard]] std::optional<GuestVirtual> blocker_of(const Task& task, const WaitForm& form,
                                                       std::size_t ring) const;
  [[nodiscard]] bool is_waiter(const WaitForm& form, GuestVirtual node) const;
  struct OwnerWord;
  [[nodiscard]] std::optional<OwnerWord> owner_word(WaitKind kind) const;
  void find_owner(const Task& task, Wait& wait) const;
  void find_name(const Task& task, Wait& wait) const;
  [[nodiscard]] std::optional<std::string> name_in_storage(const Task& task,
                                                           const Wait& wait) const;
  [[nodiscard]] std::optional<std::string> name_of_io(const Task& task,
                                                      GuestVirtual completion) const;

  const KernelMemory& memory_;
  const KernelTypes& types_;
  const Tasks& tasks_;
  const CodeMap& code_;
  StorageNames storage_;
  ReleaseNumber release_;
  std::uint64_t stack_size_;
  // Each ring is walked once, however many tasks are in it, and whether or not it is sound: to each
  // of its nodes a broken one is broken.
  mutable std::vector<Ring> rings_;
  mutable std::map<RingKey, std::size_t> ring_of_;
  mutable Budget nodes_;
  mutable Budget words_;
};

}  // namespace photon_dmesg
