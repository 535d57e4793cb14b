#pragma once

#include <filesystem>
#include <optional>

#include "session/symbol_candidates.h"

namespace photon_dmesg {

// The vmlinux of `source`, if it is a file of its own: of one in a package, only what most commands
// need is kept.
[[nodiscard]] inline std::optional<std::filesystem::path> vmlinux_file(const SymbolSource& source) {
  if (source.open_package || !source.provenance.vmlinux) return std::nullopt;
  return *source.provenance.vmlinux;
}

}  // namespace photon_dmesg
