#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/input_file.h"
#include "base/pipe_stream.h"
#include "session/symbol_candidates.h"

namespace photon_dmesg {

// What symbols are found in. A new one is a value here and a line of the table behind it.
enum class SymbolKind { Iso, Package, Folder, Vmlinux, BootImage, SystemMap, Profile };

// A file, folder or pipe with symbols.
struct SymbolInput {
  SymbolKind kind = SymbolKind::Iso;
  std::filesystem::path path;
  std::shared_ptr<const ByteSource> file;  // null: a folder or a pipe
  std::unique_ptr<PipeStream> pipe;        // null: not a pipe. Only an ISO or a package can be one.
  std::optional<std::string> release{};    // of its symbols, if it has been read for that

  // What messages call it.
  [[nodiscard]] std::string name() const { return pipe ? pipe->name() : path.string(); }
};

// What reports call such an input: "ISO image".
[[nodiscard]] std::string_view name_of(SymbolKind kind);

// What `file` holds symbols as, by its content; nothing if it holds none.
[[nodiscard]] std::optional<SymbolKind> identify_symbols(const ByteSource& file);

// Whether symbols are looked for in packages; such inputs may be several.
[[nodiscard]] bool holds_packages(SymbolKind kind);

// Reads an input that is of one kernel. Throws Error(UnusableInput) when it is damaged.
[[nodiscard]] SymbolSource read_symbols(const SymbolInput& input, Diagnostics& diagnostics);

}  // namespace photon_dmesg
