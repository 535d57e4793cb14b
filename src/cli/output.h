#pragma once

#include <functional>
#include <ostream>

#include "cli/options.h"

namespace photon_dmesg {

// Refuses an output file that is one of the inputs: writing would destroy the evidence. Throws
// Error(Usage).
void check_output(const Options& options);

// Has `write` write to where the options say. Throws Error(Incomplete) when that fails; a regular
// file is then removed rather than left half written.
void write_output(const Options& options, const std::function<void(std::ostream&)>& write);

}  // namespace photon_dmesg
