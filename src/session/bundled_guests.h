#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {

// The guests in a folder of a bundle, and in all folders below it, as paths through the bundle,
// ascending.
struct BundledGuests {
  std::vector<std::filesystem::path> checkpoints;  // of each VM the current one
  std::vector<std::filesystem::path> memories;     // that have no checkpoint beside them
  std::vector<std::filesystem::path> host_logs;    // vmware.log, where there is neither
};

// Those in `folder`, of a bundle that `tree` has entered. Of a VM whose current checkpoint can't be
// told, all are listed.
[[nodiscard]] BundledGuests find_bundled_guests(const BundleTree& tree,
                                                const std::filesystem::path& folder);

// The host's log of a VM (vmware.log) that `path` is, or, of a bundle or a folder in one without
// any guest's memory, the one in it to which a guest has sent something. Null if it is none of
// these. Throws Error(Usage) that lists them if there are several, Error(UnusableInput) when the
// bundle can't be read.
[[nodiscard]] std::shared_ptr<const ByteSource> find_host_log(const std::filesystem::path& path,
                                                              BundleTree& tree,
                                                              Diagnostics& diagnostics);

}  // namespace photon_dmesg
