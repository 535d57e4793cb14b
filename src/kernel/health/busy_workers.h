#pragma once

#include <cstdint>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// A worker of a CPU that is at a work (kernel/workqueue_internal.h, struct worker).
struct BusyWorker {
  std::uint32_t cpu = 0;
  GuestVirtual address;
  GuestVirtual task;       // its task_struct
  std::uint64_t nsec = 0;  // that it has had a CPU for this work, up to when that was last counted
};

// Those of the pools that belong to one CPU each. Empty without the symbols and types that tell
// (6.4 and later: before, nothing notes when a work was begun). A list that is damaged is a
// warning.
[[nodiscard]] std::vector<BusyWorker> read_busy_workers(const GuestKernel& kernel,
                                                        const KernelTypes& types, const Cpus& cpus,
                                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
