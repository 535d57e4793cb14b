#pragma once

#include "base/diagnostics.h"
#include "kernel/guest_kernel.h"
#include "kernel/log_record.h"

namespace photon_dmesg {

// The guest's kernel log, in whichever format its kernel keeps it: the one place that knows which
// formats there are. Throws Error(UnusableInput) for a kernel that has none of them, and when the
// log's own variables are damaged; damaged records are reported in the result.
[[nodiscard]] KernelLog read_kernel_log(const GuestKernel& kernel, Diagnostics& diagnostics);

// Whether `symbols` tell where a log of one of these formats is.
[[nodiscard]] bool has_log(const KernelSymbols& symbols);

}  // namespace photon_dmesg
