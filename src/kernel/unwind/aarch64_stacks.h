#pragma once

#include <vector>

#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/unwind/stacks.h"

namespace photon_dmesg {

// The stacks of arm64's CPUs: for interrupts, and for what comes when a stack is full.
[[nodiscard]] std::vector<Stack> find_aarch64_stacks(const GuestKernel& kernel,
                                                     const KernelTypes& types, const Cpus& cpus);

}  // namespace photon_dmesg
