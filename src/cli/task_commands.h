#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"

namespace photon_dmesg {

// Print what the guest's vCPUs and tasks were doing (bt), and which tasks there are (ps). Both
// return the exit status: 1 if a trace ends early or a list of tasks is not whole. `redactor` is as
// for the log.
[[nodiscard]] int print_traces(const Options& options, Redactor& redactor,
                               TerminalDiagnostics& diagnostics);
[[nodiscard]] int print_tasks(const Options& options, Redactor& redactor,
                              TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
