#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// The task_structs of all threads that the kernel's table of pids has, in no order: a second list
// of what the lists of tasks hold. The table is an IDR since 4.15, a hash table before. What can't
// be read of it is left out. Nothing without its symbols or types.
[[nodiscard]] std::optional<std::vector<GuestVirtual>> read_pid_table(const GuestKernel& kernel,
                                                                      const KernelTypes& types);

}  // namespace photon_dmesg
