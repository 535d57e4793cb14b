#pragma once

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"
#include "report/triage_report.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {

// photon-dmesg triage: says what is wrong with the guest. Returns the exit status. Throws Error if
// the guest's kernel can't be found, Error(Incomplete) when the output can't be written.
// `redactor` is as for the log.
int print_triage(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics);

// What is wrong with a guest by the host's logs that options.files are, and what tells so. Of what
// the guest sent the last is judged: what it sent before is in it, or of an earlier boot. Throws
// Error(UnusableInput) if its kernel has sent nothing.
[[nodiscard]] TriageReport judge_host_logs(const Options& options, BundleTree& tree,
                                           Redactor& redactor, Diagnostics& diagnostics);

}  // namespace photon_dmesg
