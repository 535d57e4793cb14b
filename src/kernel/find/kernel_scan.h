#pragma once

#include <optional>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/find/running_kernel.h"

namespace photon_dmesg {

// Looks through all of `memory` for a kernel, when neither a vCPU nor symbols lead to one: a
// banner anywhere, and near it the kernel's own page tables, which map it. Reads on every
// processor. Nothing if there is none. A kernel that an earlier boot has left would be found as
// well, which is a warning.
[[nodiscard]] std::optional<RunningKernel> scan_for_kernel(const GuestMemory& memory,
                                                           Diagnostics& diagnostics);

// Whether `kernel` uses the end of `memory`: its page tables map some of the last megabytes. If
// they don't, `memory` is not read as the guest has it (GuestState::other_readings).
[[nodiscard]] bool uses_end_of_memory(const RunningKernel& kernel, const GuestMemory& memory);

}  // namespace photon_dmesg
