#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"

namespace photon_dmesg {

// photon-dmesg batch: reports on every ticket that is named or found, several at a time, each in a
// process of its own, and writes a summary of all. Returns the exit status. Throws Error(Usage) if
// there is no ticket, Error(Incomplete) if the results can't be written.
[[nodiscard]] int report_on_tickets(const Options& options, TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
