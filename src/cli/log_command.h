#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"

namespace photon_dmesg {

// From the files on the command line to the guest's log: checkpoint to memory to the running
// kernel, ISO to package to symbols, both to log records, each of which is written as soon as it is
// decoded. What is missing from the log becomes a warning. Returns the exit status: that of a log
// that was printed as it was asked for, or of an incomplete one. If it is to be redacted,
// `redactor` learns the names in it, and what `diagnostics` holds is released then.
[[nodiscard]] int print_log(const Options& options, Redactor& redactor,
                            TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
