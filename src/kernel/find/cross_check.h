#pragma once

#include <optional>
#include <string>

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

// What the guest itself says against an address of `kernel`, as what is wrong with that symbol
// ("prb is at ..., at ... by the guest's VMCOREINFO"); nothing if all agrees that there is. What
// the interrupt tables of `running` lead to counts too, if it isn't null: they may be those of
// early boot, so that with better evidence they should not.
[[nodiscard]] std::optional<std::string> find_contradiction(const GuestKernel& kernel,
                                                            const RunningKernel* running);

// The VMCOREINFO of `kernel`: where its variable says, or else found by its form. Nothing if the
// kernel has none (yet).
[[nodiscard]] std::optional<Vmcoreinfo> find_vmcoreinfo(const GuestKernel& kernel,
                                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
