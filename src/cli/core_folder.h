#pragma once

#include <filesystem>

#include "cli/options/options.h"
#include "session/symbol_candidates.h"

namespace photon_dmesg {

// What a core's files are called in their folder.
inline constexpr const char* core_name = "vmss.core";
inline constexpr const char* vmlinux_name = "vmlinux";
inline constexpr const char* macros_name = "photon.gdb";
inline constexpr const char* gdbinit_name = ".gdbinit";

// Refuses a folder for a core, options.output, unless each of these files is absent there or one
// that this program wrote; a vmlinux may be anybody's, as it is never replaced. To be asked before
// anything is read. Throws Error(Usage).
void check_core_folder(const Options& options);

// Whether the folder has the vmlinux of these symbols, so that none need be written. Throws
// Error(Usage) if it has another one.
[[nodiscard]] bool has_vmlinux(const std::filesystem::path& folder, const SymbolSource& symbols);

}  // namespace photon_dmesg
