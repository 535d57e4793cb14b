#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/health/guest_time.h"
#include "kernel/health/reading.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// An RCU grace period that is open: it ends when every CPU has passed through a state in which it
// can hold no reader (kernel/rcu/tree.h).
struct RcuGracePeriod {
  Reading sequence;                          // rcu_state.gp_seq, or gpnum until 4.17
  std::optional<std::uint64_t> age_nsec;     // since it began
  std::optional<std::uint64_t> thread_nsec;  // since RCU's thread last did something
  std::vector<std::uint32_t> cpus;           // that it waits for
  std::vector<GuestVirtual> readers;         // tasks that were preempted in a reader: task_structs
};

// Where grace periods stand.
struct RcuState {
  // Whether all could be read that would tell of an open one and of what it waits for.
  bool is_read = false;
  // The oldest one of the kernel's kinds of RCU (there is one since 4.20). If not all could be
  // read, it may wait for more, or there may be another.
  std::optional<RcuGracePeriod> open;
};

// What can't be read although symbols and types tell where it is, is a warning; so are more
// readers than a guest can have.
[[nodiscard]] RcuState read_rcu(const GuestKernel& kernel, const KernelTypes& types,
                                const GuestTime& time, Diagnostics& diagnostics);

}  // namespace photon_dmesg
