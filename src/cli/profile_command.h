#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"

namespace photon_dmesg {

// Writes the profile of a kernel: the guest's if a checkpoint is among the files, or else the one
// that the other file is of.
void print_profile(const Options& options, TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
