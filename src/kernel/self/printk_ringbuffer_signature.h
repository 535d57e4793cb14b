#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// A printk_ringbuffer found by its form, without any symbol.
struct FoundRing {
  GuestVirtual ring;
  GuestVirtual pointer;                  // a variable that points to it, as `prb` does
  std::optional<GuestVirtual> replaced;  // the ring that it took the place of, left behind
};

// Looks through the kernel image for structures of the form of a printk_ringbuffer (5.10 and
// later) whose records are in their place, and returns the one in use: of two, if the kernel has
// moved its log from the static ring to a dynamic one, that with the newest record. Nothing if
// there is none.
[[nodiscard]] std::optional<FoundRing> find_ring(const KernelImage& image,
                                                 Diagnostics& diagnostics);

}  // namespace photon_dmesg
