#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "base/input_file.h"
#include "checkpoint/guest_files.h"

namespace photon_dmesg {

enum class SymbolSourceKind { Iso, Package, Vmlinux, SystemMap, Profile };

// The files of one run, each in its role.
struct Inputs {
  SymbolSourceKind symbols_kind = SymbolSourceKind::Iso;
  std::unique_ptr<InputFile> symbols;  // null if none was named
  GuestFiles guest;
};

// Opens the files and tells them apart by content, never by name or order; memory has no mark of
// its own, so it is what nothing else is. A guest's file that is packed with gzip is unpacked in
// memory. Throws Error(UnusableInput) for a file that can't be read or used, Error(Usage) when a
// role is taken twice.
[[nodiscard]] Inputs sort_inputs(const std::vector<std::filesystem::path>& files,
                                 Diagnostics& diagnostics);

}  // namespace photon_dmesg
