#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace photon_dmesg {

// Which file a medium is and in which state, as far as the system tells without its being read.
struct MediumState {
  std::string file;   // its device and inode
  std::string state;  // its size, and when it was modified and changed, to the nanosecond

  bool operator==(const MediumState&) const = default;
};

// That of the file at `path`, through symbolic links, if whoever changes the file from `now` on
// changes its state too: a regular file, on a local file system that notes by itself when a file
// was changed, which must be some seconds ago. Nothing of any other.
[[nodiscard]] std::optional<MediumState> lasting_state(const std::filesystem::path& path,
                                                       std::chrono::system_clock::time_point now);

}  // namespace photon_dmesg
