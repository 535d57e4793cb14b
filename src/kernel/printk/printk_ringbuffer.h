#pragma once

#include <memory>

#include "base/budget.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/ring_window.h"
#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// Finds the lockless ring of Linux 5.10 and later (kernel/printk/printk_ringbuffer.{h,c}): a ring
// of descriptors with a state and an id each, a ring of infos beside it, a ring of text blocks.
// Records that are damaged or were being written are left out and reported as losses. Throws
// Error(UnusableInput) when the ring's own header can't be read or is not sane.
// `kernel` must outlive the result.
[[nodiscard]] std::unique_ptr<StoredLog> open_printk_ringbuffer(const GuestKernel& kernel,
                                                                Diagnostics& diagnostics);

// For the descriptors that are looked at to find a ring: some times those of the largest.
[[nodiscard]] Budget ring_budget();

// The part in use of the printk_ringbuffer at `address`, by whichever known layout fits best; no
// records if there is no such ring. Its descriptors are taken off `budget`, once for each layout.
[[nodiscard]] RingWindow find_ring_window(const KernelMemory& memory, GuestVirtual address,
                                          Budget& budget);

}  // namespace photon_dmesg
