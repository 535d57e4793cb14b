#pragma once

#include <string>

#include "base/diagnostics.h"
#include "cli/options.h"
#include "report/report.h"

namespace photon_dmesg {

// From the files on the command line to the guest's log: checkpoint to memory to the running
// kernel, ISO to package to symbols, both to log records. What is missing from the log becomes a
// warning.
[[nodiscard]] Report make_report(const Options& options, Diagnostics& diagnostics);

// From the same files to the profile of a kernel: the guest's if a checkpoint is among them, or
// else the one that the other file is of.
[[nodiscard]] std::string make_profile(const Options& options, Diagnostics& diagnostics);

}  // namespace photon_dmesg
