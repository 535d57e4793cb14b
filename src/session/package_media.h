#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/diagnostics.h"
#include "session/symbol_kinds.h"

namespace photon_dmesg {

// A package somewhere, not yet opened.
struct PackageFile {
  std::string path;                // on its ISO, or of the file itself
  std::optional<std::string> iso;  // what it lies on
  std::function<std::unique_ptr<ByteStream>()> open;

  // What messages call it.
  [[nodiscard]] std::string name() const { return iso ? *iso + ": " + path : path; }
};

// Every package among `inputs` that may be of a kernel: packages named as such, and of ISOs and
// folders (and theirs, but no symbolic links to folders) those with the names of kernel packages.
// Of an ISO that comes through a pipe these are kept in memory, if `is_wanted` says so of their
// content. Throws Error(UnusableInput) when a medium is damaged or can't be read. `inputs` must
// outlive what is opened.
[[nodiscard]] std::vector<PackageFile> list_packages(
    const std::vector<SymbolInput>& inputs,
    const std::function<bool(std::unique_ptr<ByteStream> package)>& is_wanted,
    Diagnostics& diagnostics);

// The package at `path` on `medium`, an ISO or a package in a file, as list_packages() has it, but
// that the ISO is not looked at before the package is opened: then one that has no such package is
// an Error(UnusableInput).
[[nodiscard]] PackageFile package_on(const SymbolInput& medium, const std::string& path);

}  // namespace photon_dmesg
