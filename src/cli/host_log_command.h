#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {

// Prints what a guest sent to its host, where the host's logs are all that was named: it is no log,
// but where the guest's memory is gone it is all there is. Returns the exit status, which says that
// it is not all. Throws Error(UnusableInput) if the guest has sent nothing, Error(Usage) if the
// options select by what only the guest's memory tells, or name a format that has no place for it.
// If it is to be redacted, `redactor` learns the names in it.
int print_host_log(const Options& options, BundleTree& tree, Redactor& redactor,
                   TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
