#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/error.h"
#include "checkpoint/guest_files.h"
#include "session/bundle_tree.h"
#include "session/symbol_kinds.h"

namespace photon_dmesg {

// What a file that was named, or found, is in a run, by its content.
struct InputRole {
  std::shared_ptr<const ByteSource> file;  // unpacked, if it was packed
  // One of these is there.
  std::optional<SymbolKind> symbols;
  std::optional<GuestFileKind> guest;  // Unmarked: it may be memory
  std::optional<Error> beside;         // why it is of no use, though no mistake beside a checkpoint
};

// Opens `path`. Throws Error(UnusableInput) that names it for a file that is of no use.
[[nodiscard]] InputRole find_role(const BundleTree& tree, const std::filesystem::path& path,
                                  Diagnostics& diagnostics);

// Whether nothing speaks against `file`, which has no mark and lies at `path`, being memory.
[[nodiscard]] bool may_be_memory(const ByteSource& file, const std::filesystem::path& path);

// What can be read once only: an ISO or a package. Throws Error(UnusableInput) for all else.
[[nodiscard]] SymbolInput open_pipe(const std::filesystem::path& path);

}  // namespace photon_dmesg
