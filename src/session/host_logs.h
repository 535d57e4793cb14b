#pragma once

#include <filesystem>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/vmware/host_log.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {

// A log that the host has of a VM, as far as the guest wrote it.
struct HostLog {
  std::filesystem::path path;
  std::vector<HostLogLine> lines;
  bool is_whole = true;  // not so if it is too long, and the guest may have sent more before
};

// Whether each of `files` is such a log, and there is any; or whether the only one is a bundle, or
// a folder in one, that has nothing else of a guest. Throws as find_host_log() does.
[[nodiscard]] bool are_host_logs(const std::vector<std::filesystem::path>& files, BundleTree& tree,
                                 Diagnostics& diagnostics);

// Reads `files`, for which are_host_logs() is true, the one that begins first before the others.
// That not all is read, where that is so, is a warning here as below.
// Throws Error(UnusableInput) when one can't be read, Error(Usage) when they lie in several
// folders.
[[nodiscard]] std::vector<HostLog> read_host_logs(const std::vector<std::filesystem::path>& files,
                                                  BundleTree& tree, Diagnostics& diagnostics);

// Those of the VM that `checkpoint` is of: what of `files` is such a log, and what lies beside the
// checkpoint in `tree` under the names that VMware gives them (vmware.log; vmware-0.log and so on
// of earlier runs of the VM). What can't be read is left out with a warning.
[[nodiscard]] std::vector<HostLog> host_logs_of(const std::vector<std::filesystem::path>& files,
                                                const std::filesystem::path& checkpoint,
                                                const FileTree& tree, Diagnostics& diagnostics);

}  // namespace photon_dmesg
