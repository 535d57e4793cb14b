#pragma once

#include <filesystem>

namespace photon_dmesg::cache_folder {

// Makes `folder`, and those above it, if it isn't there: it is its owner's alone then. Throws
// std::filesystem::filesystem_error.
void make(const std::filesystem::path& folder);

// Whether `path` is a file that nobody could have written but its owner, who is this user or root:
// one that somebody else could have written proves nothing. False if there is none.
[[nodiscard]] bool is_trustworthy(const std::filesystem::path& path);

}  // namespace photon_dmesg::cache_folder
