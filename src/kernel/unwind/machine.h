#pragma once

#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// Whether `kernel` runs on such processors.
[[nodiscard]] inline bool is_of(const GuestKernel& kernel, Machine machine) {
  return &kernel.memory().tables().architecture() == &architecture_of(machine);
}

}  // namespace photon_dmesg
