#pragma once

#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// Whether the kernel says that a vCPU was inside of printk (until 5.12, by logbuf_lock): only then
// may its log's variables be caught between two stores. False where the lock is not known.
[[nodiscard]] bool is_printk_lock_held(const GuestKernel& kernel);

}  // namespace photon_dmesg
