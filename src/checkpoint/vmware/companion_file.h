#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/file_tree.h"

namespace photon_dmesg {

// Files of one guest lie side by side: the same name with another ending.

// The file beside `file`, in `tree`, that has its name with one of `endings` ("vmem") instead of
// its own, in upper or lower case, also packed (".gz", ".zst", ".xz" or ".bz2" behind); if `file`
// is a symbolic link, else that beside what it leads to. Nothing if there is none. Throws
// Error(Usage) that names them when several fit and none has exactly the case of `endings`.
[[nodiscard]] std::optional<std::filesystem::path> find_companion(
    const FileTree& tree, const std::filesystem::path& file,
    const std::vector<std::string>& endings);

// Whether `name` ends as those of packed files do: ".gz", ".zst", ".xz" or ".bz2".
[[nodiscard]] bool is_packed_name(const std::filesystem::path& name);

// The name that a guest's files share: without its ending and that of what packed it.
[[nodiscard]] std::string name_without_endings(const std::filesystem::path& file);

// The same in lower case.
[[nodiscard]] std::string shared_name(const std::filesystem::path& file);

// Opens a guest's file; one that is packed is unpacked in memory. Throws Error(UnusableInput) when
// it can't be read or is damaged.
[[nodiscard]] std::shared_ptr<const ByteSource> open_guest_file(const FileTree& tree,
                                                                const std::filesystem::path& path,
                                                                Diagnostics& diagnostics);

}  // namespace photon_dmesg
