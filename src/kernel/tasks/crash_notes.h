#pragma once

#include <optional>

#include "checkpoint/guest/vcpu.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// The registers that `cpu` had when its kernel crashed and handed over to a crash-dump kernel: the
// kernel saves them in its per-CPU variable crash_notes (kernel/kexec_core.c). Nothing if it has
// not.
[[nodiscard]] std::optional<Vcpu> read_crash_registers(const GuestKernel& kernel, const Cpu& cpu);

}  // namespace photon_dmesg
