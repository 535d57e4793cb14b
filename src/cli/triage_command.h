#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"

namespace photon_dmesg {

// photon-dmesg triage: says what is wrong with the guest. Returns the exit status. Throws Error if
// the guest's kernel can't be found, Error(Incomplete) when the output can't be written.
// `redactor` is as for the log.
int print_triage(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
