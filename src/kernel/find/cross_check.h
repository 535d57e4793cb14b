#pragma once

#include <optional>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/find/running_kernel.h"
#include "kernel/find/vmcoreinfo.h"

namespace photon_dmesg {

// Holds the addresses of `kernel` against evidence that they were not taken from: where the page
// tables' first image page is, what the interrupt tables lead to, what the kernel's VMCOREINFO
// says. What agrees is noted; a contradiction between two sources is a warning with
// both values.
void cross_check(const GuestKernel& kernel, const RunningKernel& running, Diagnostics& diagnostics);

// The VMCOREINFO of `kernel`: where its variable says, or else found by its form. Nothing if the
// kernel has none (yet).
[[nodiscard]] std::optional<Vmcoreinfo> find_vmcoreinfo(const GuestKernel& kernel,
                                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
