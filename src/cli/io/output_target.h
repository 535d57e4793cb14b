#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace photon_dmesg {

// The name that is stdout where a file is to be written.
inline constexpr const char* standard_output = "-";

// Where an output goes.
struct OutputTarget {
  std::filesystem::path named;     // what messages call it
  std::filesystem::path path;      // behind every symbolic link; of a descriptor its path in /proc
  std::vector<std::string> names;  // the file's names without folders, the links' included
  std::optional<int> descriptor;   // one of this process, which is written to from where it stands
  bool is_special = false;  // a device, pipe, or open elsewhere: gets what is written as it comes
};

// What users mean by `named`: "-" is stdout, as is /dev/stdout; a link is what it leads to. A file
// need not exist.
[[nodiscard]] OutputTarget find_output_target(const std::filesystem::path& named);

}  // namespace photon_dmesg
