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

// Has `write` write to where the options say. A file appears under its name when it is whole; a
// device or a pipe gets what is written as it comes, as stdout does. Who reads stdout may stop
// doing so: then `write` is ended and this returns as if it had come to its end. Throws
// Error(Incomplete) when something can't be written.
void write_output(const Options& options, const std::function<void(std::ostream&)>& write);

}  // namespace photon_dmesg
