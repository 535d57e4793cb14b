#include "session/stored_symbols.h"

#include <algorithm>
#include <system_error>

#include "session/other_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

std::vector<fs::path> profiles_in(const fs::path& folder) {
  std::vector<fs::path> profiles;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && has_ending(entry->path(), profile_ending)) {
      profiles.push_back(entry->path());
    }
  }
  std::sort(profiles.begin(), profiles.end());
  return profiles;
}

}  // namespace photon_dmesg
