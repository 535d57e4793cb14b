#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest_files.h"
#include "session/symbol_kinds.h"

namespace photon_dmesg {

class BundleTree;

// The files of one run, each in its role.
struct Inputs {
  std::vector<SymbolInput> symbols;  // in the order in which they were named
  // With `memory`, if a file may be that: what else may be it is in `other_memories`.
  GuestFiles guest;
  std::vector<std::shared_ptr<const ByteSource>> other_memories;
};

// Opens the files and tells them apart by content, never by order; memory has no mark of its own,
// so it is what nothing else is and what has the size of one. A file that is packed is unpacked in
// memory. Of a folder, or a VM's configuration (.vmx), the current checkpoint in it is taken; a
// folder is also one that packages are looked for in. A bundle is a folder, and so are those in it;
// of a bundle, the folders below count as well.
//
// A file that can't be used is a warning if a guest is left without it, or, if `strict`, the Error
// that says why. Throws Error(Usage) when it is not clear which checkpoint is meant, and the first
// file's Error when there is no guest for it.
[[nodiscard]] Inputs sort_inputs(const std::vector<std::filesystem::path>& files,
                                 std::shared_ptr<BundleTree> tree, bool strict,
                                 Diagnostics& diagnostics);

// The same, with bundles that are of no use to anybody else.
[[nodiscard]] Inputs sort_inputs(const std::vector<std::filesystem::path>& files, bool strict,
                                 Diagnostics& diagnostics);

}  // namespace photon_dmesg
