#pragma once

#include <memory>

#include "base/error.h"
#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"
#include "session/guest_groups.h"

namespace photon_dmesg {

// Prints the logs of `groups`, one after the other, to one output in which each record says whose
// it is; the format must take several. `tree` is the one that they were grouped with. A guest that
// can't be read is a warning that names it. Returns the exit status. Throws the first guest's Error
// if none can be read.
int print_logs(const Options& options, GuestGroups groups, std::shared_ptr<BundleTree> tree,
               Redactor& redactor, TerminalDiagnostics& diagnostics);

// Adds to an Error that asks which of several checkpoints is meant what reads all of them.
[[nodiscard]] Error with_ways_to_read_all(const Error& error);

}  // namespace photon_dmesg
