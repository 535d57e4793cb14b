#pragma once

#include <filesystem>
#include <vector>

#include "base/diagnostics.h"
#include "cli/options/options.h"
#include "report/triage_report.h"
#include "session/guest.h"

namespace photon_dmesg {

// The files that a report on `guest` was made from: what the user named, and what was found beside
// it.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const Options& options,
                                                          const Guest& guest);

// What a report says of those of `files` that are files or disks, each once. With `digests` also
// the SHA-256, which takes as long as reading all of them; a file that can't be read again has
// none, with a warning.
[[nodiscard]] std::vector<TriageReport::Input> input_files(
    const std::vector<std::filesystem::path>& files, bool digests, Diagnostics& diagnostics);

}  // namespace photon_dmesg
