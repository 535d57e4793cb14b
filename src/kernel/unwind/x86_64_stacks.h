#pragma once

#include <vector>

#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/unwind/stacks.h"

namespace photon_dmesg {

// The stacks of x86-64's CPUs: for interrupts, and for the exceptions that have one of their own
// (IST).
[[nodiscard]] std::vector<Stack> find_x86_64_stacks(const GuestKernel& kernel,
                                                    const KernelTypes& types, const Cpus& cpus);

}  // namespace photon_dmesg
