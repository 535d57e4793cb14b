#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/input_file.h"
#include "base/pipe_stream.h"
#include "checkpoint/guest_files.h"

namespace photon_dmesg {

enum class SymbolSourceKind { Iso, Package, Folder, Vmlinux, SystemMap, Profile };

// Whether symbols are looked for in packages; such sources may be several.
[[nodiscard]] bool holds_packages(SymbolSourceKind kind);

// What symbols are to be found in.
struct SymbolInput {
  SymbolSourceKind kind = SymbolSourceKind::Iso;
  std::filesystem::path path;
  std::unique_ptr<InputFile> file;   // null: a folder or a pipe
  std::unique_ptr<PipeStream> pipe;  // null: not a pipe. Only an ISO or a package can be one.

  // What messages call it.
  [[nodiscard]] std::string name() const { return pipe ? pipe->name() : path.string(); }
};

// The files of one run, each in its role.
struct Inputs {
  // None; or one vmlinux, System.map or profile; or any number of ISOs, packages and folders.
  std::vector<SymbolInput> symbols;
  GuestFiles guest;

  // Their names, for messages.
  [[nodiscard]] std::string symbol_names() const;
};

// Opens the files and tells them apart by content, never by name or order; memory has no mark of
// its own, so it is what nothing else is. A guest's file that is packed with gzip is unpacked in
// memory. A folder is one that packages are looked for in. Throws Error(UnusableInput) for a file
// that can't be read or used, Error(Usage) when a role is taken twice.
[[nodiscard]] Inputs sort_inputs(const std::vector<std::filesystem::path>& files,
                                 Diagnostics& diagnostics);

}  // namespace photon_dmesg
