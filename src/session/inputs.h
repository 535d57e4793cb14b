#pragma once

#include <filesystem>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest_files.h"
#include "session/symbol_kinds.h"

namespace photon_dmesg {

// The files of one run, each in its role.
struct Inputs {
  // None; or one vmlinux, System.map or profile; or any number of ISOs, packages and folders.
  std::vector<SymbolInput> symbols;
  GuestFiles guest;
};

// Opens the files and tells them apart by content, never by name or order; memory has no mark of
// its own, so it is what nothing else is. A guest's file that is packed with gzip is unpacked in
// memory. A folder is one that packages are looked for in. Throws Error(UnusableInput) for a file
// that can't be read or used, Error(Usage) when a role is taken twice.
[[nodiscard]] Inputs sort_inputs(const std::vector<std::filesystem::path>& files,
                                 Diagnostics& diagnostics);

}  // namespace photon_dmesg
