#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {

// The files of several guests, as somebody named them all at once.
struct GuestGroups {
  struct Group {
    std::string name;                          // of its checkpoint, as it was named
    std::vector<std::filesystem::path> files;  // with which it is opened
  };

  std::vector<Group> guests;                  // in the order in which their checkpoints were named
  std::vector<std::filesystem::path> shared;  // what symbols are found in, or is not of one guest
  std::vector<std::filesystem::path> strange_logs;  // of hosts, beside no guest that was named
};

// Which of `files` are whose. A guest is a checkpoint or dump (all parts of a split one), a VM's
// folder or its configuration, a bundle that holds one or a folder in it, or memory alone. Memory
// and a host's log go to the guest that they share the name or else the folder with; checkpoints
// beside a configuration that was named are one guest, whose current one is read. What can't be
// opened is taken for shared: whoever opens that says what is wrong with it. Nothing is read but
// the beginning of each file, and bundles, which `tree` has entered then.
[[nodiscard]] GuestGroups group_by_guest(const std::vector<std::filesystem::path>& files,
                                         BundleTree& tree, Diagnostics& diagnostics);

}  // namespace photon_dmesg
