#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"

namespace photon_dmesg {

// Files of one guest lie side by side: the same name with another ending.

// The file beside `file` that has its name with one of `endings` ("vmem") instead of its own, in
// upper or lower case, also packed with gzip (".gz" behind); if `file` is a symbolic link, else
// that beside what it leads to. Nothing if there is none. Throws Error(Usage) that names them when
// several fit and none has exactly the case of `endings`.
[[nodiscard]] std::optional<std::filesystem::path> find_companion(
    const std::filesystem::path& file, const std::vector<std::string>& endings);

// The name that a guest's files share: without its ending and ".gz", in lower case.
[[nodiscard]] std::string shared_name(const std::filesystem::path& file);

// Opens a guest's file; one packed with gzip is unpacked in memory. Throws Error(UnusableInput)
// when it can't be read or is damaged.
[[nodiscard]] std::shared_ptr<const ByteSource> open_guest_file(const std::filesystem::path& path,
                                                                Diagnostics& diagnostics);

}  // namespace photon_dmesg
