#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"

namespace photon_dmesg {

// Says what the files hold, and takes out of a checkpoint what the options ask for. What can't be
// read is one of the problems that are printed; the exit status is then that of the first one.
// Throws Error if nothing can be said, or if what is to be taken out is not there. `redactor` is
// as for the log.
[[nodiscard]] int print_info(const Options& options, Redactor& redactor,
                             TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
