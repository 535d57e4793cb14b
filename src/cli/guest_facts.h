#pragma once

#include <optional>

#include "base/diagnostics.h"
#include "kernel/printk/kernel_log.h"
#include "report/clock_history.h"
#include "report/report.h"
#include "session/guest.h"

namespace photon_dmesg {

// What reports say of `guest`, but for its clock, which not every report needs.
[[nodiscard]] GuestInfo describe_guest(const Guest& guest, Diagnostics& diagnostics);

// The guest's clock, with what the log says of it (nullptr: nothing). Nothing if it can't be read.
[[nodiscard]] std::optional<ClockHistory> read_clock_history(const GuestKernel& kernel,
                                                             const KernelLogReader* log,
                                                             Diagnostics& diagnostics);

// The same with what the log was already seen to say of it.
[[nodiscard]] std::optional<ClockHistory> read_clock_history(const GuestKernel& kernel,
                                                             const ClockSigns& signs,
                                                             Diagnostics& diagnostics);

// The guest's files, and where its symbols were found.
[[nodiscard]] SourceInfo describe_source(const Guest& guest);

}  // namespace photon_dmesg
