#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/health/guest_time.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// The workers of one CPU that have work to do (kernel/workqueue.c, struct worker_pool).
struct WorkerPool {
  std::uint32_t cpu = 0;
  GuestVirtual address;
  bool is_high_priority = false;   // of the CPU's two
  std::size_t waiting = 0;         // works that none has begun
  std::uint64_t stalled_nsec = 0;  // since one was last begun
};

struct WaitingPools {
  std::vector<WorkerPool> all;            // those in which works wait
  std::vector<std::uint32_t> known_cpus;  // of whose pools all could be read
};

// Both empty without the symbols and types that tell (4.5 and later). A list that is damaged is a
// warning.
[[nodiscard]] WaitingPools read_waiting_pools(const GuestKernel& kernel, const KernelTypes& types,
                                              const Cpus& cpus, const GuestTime& time,
                                              Diagnostics& diagnostics);

}  // namespace photon_dmesg
