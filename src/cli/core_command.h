#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"

namespace photon_dmesg {

// Writes into the folder options.output what debuggers need of the guest: vmss.core, vmlinux if a
// source of symbols has one, gdb's macros and a .gdbinit. Says on stdout how to go on. Throws
// Error(Incomplete) when the folder can't be written.
void write_core_folder(const Options& options, TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
