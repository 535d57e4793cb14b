#pragma once

#include "cli/options.h"
#include "report/report.h"

namespace photon_dmesg {

// Refuses an output file that is one of the inputs: writing would destroy the evidence. Throws
// Error(Usage).
void check_output(const Options& options);

// Writes the report where and how the options say. Throws Error(Incomplete) when that fails; a
// regular file is then removed rather than left half written.
void write_output(const Options& options, const Report& report);

}  // namespace photon_dmesg
