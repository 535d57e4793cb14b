#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "cli/options/options.h"
#include "report/triage_report.h"
#include "session/guest.h"

namespace photon_dmesg {

// The files that a report on `guest` was made from: what the user named, and what was found beside
// it. With `digests` also the SHA-256 of each, which takes as long as reading all of them; a file
// that can't be read again has none, with a warning.
[[nodiscard]] std::vector<TriageReport::Input> input_files(const Options& options,
                                                           const Guest& guest, bool digests,
                                                           Diagnostics& diagnostics);

}  // namespace photon_dmesg
