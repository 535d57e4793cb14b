#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "report/clock_history.h"
#include "report/host_evidence.h"
#include "report/host_line.h"
#include "session/guest.h"
#include "session/host_logs.h"

namespace photon_dmesg {

// What reports call it where they say what they were made from.
inline constexpr const char* what_guest_sent = "what the guest sent to its host (vmware.log)";

// What the guest sent to its host, by `logs`.
[[nodiscard]] std::vector<HostLine> lines_of(const std::vector<HostLog>& logs);

// What `guest` sent to its host, by those of `files` that are the host's logs and those beside its
// checkpoint: to be held against its log.
[[nodiscard]] HostEvidence read_host_lines(const std::vector<std::filesystem::path>& files,
                                           const Guest& guest, Diagnostics& diagnostics);

enum class WantedLines { All, OfKernel };

// The same of host logs that are all there is of a guest. Throws Error(UnusableInput) if the guest
// has sent nothing, or its kernel, where only what that sent is `wanted`; that it is not all of the
// guest's log is a warning.
[[nodiscard]] std::vector<HostLine> read_lone_host_lines(
    const std::vector<std::filesystem::path>& files, WantedLines wanted, BundleTree& tree,
    Diagnostics& diagnostics);

// Says which lines are not of this boot, and which may be, and how many the log has.
void tell(const HostTestimony& testimony, Diagnostics& diagnostics);

}  // namespace photon_dmesg
