#pragma once

#include "kernel/facts/guest_clock.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// Adds to `clock`, of which the timekeeper's part is known, what the kernel's variables say of
// printk's clock, local_clock() of kernel/sched/clock.c. What has no symbol or can't be is absent.
void read_printk_clock(const GuestKernel& kernel, GuestClock& clock);

}  // namespace photon_dmesg
