#pragma once

#include <filesystem>
#include <vector>

namespace photon_dmesg {

// What the files are called that photon-dmesg profile --all writes.
inline constexpr const char* profile_ending = ".symbols";

// The profiles in `folder` itself, by their names; empty if it can't be read.
[[nodiscard]] std::vector<std::filesystem::path> profiles_in(const std::filesystem::path& folder);

}  // namespace photon_dmesg
