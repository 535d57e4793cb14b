#pragma once

#include "base/diagnostics.h"
#include "kernel/guest_kernel.h"
#include "kernel/running_kernel.h"

namespace photon_dmesg {

// Holds the addresses of `kernel` against evidence that they were not taken from: where the page
// tables' first image page is, what the interrupt tables lead to, what the kernel's VMCOREINFO
// says. What agrees is noted; a contradiction between two sources is a warning with
// both values.
void cross_check(const GuestKernel& kernel, const RunningKernel& running, Diagnostics& diagnostics);

}  // namespace photon_dmesg
