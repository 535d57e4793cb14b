#pragma once

#include <filesystem>

#include "base/error.h"

namespace photon_dmesg {

// The files that this process has opened for reading, whatever found or named them, so that no
// output takes the place of one. Known by device, inode and time of birth: neither another name
// hides such a file, nor is a new one taken for it that got its inode. Any thread may ask and add.
namespace read_files {

// Adds the file that is open as `descriptor`. Whatever opens users' files for reading calls this.
void add(int descriptor);

// Whether the file at `path`, through symbolic links, was read; false if there is none.
[[nodiscard]] bool contains(const std::filesystem::path& path);

// The Error(Usage) of an output that would take the place of the file at `path`, which is an input.
[[nodiscard]] Error would_be_replaced(const std::filesystem::path& path);

}  // namespace read_files

}  // namespace photon_dmesg
