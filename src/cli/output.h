#pragma once

#include <filesystem>
#include <functional>
#include <ostream>

#include "cli/options.h"

namespace photon_dmesg {

// Refuses to write to `target` if it is one of the inputs: that would destroy the evidence. Throws
// Error(Usage).
void check_no_input(const Options& options, const std::filesystem::path& target);

// The same for every file that the options name to be written.
void check_output(const Options& options);

// Has `write` write to where the options say. Throws Error(Incomplete) when that fails; a regular
// file is then removed rather than left half written.
void write_output(const Options& options, const std::function<void(std::ostream&)>& write);

}  // namespace photon_dmesg
