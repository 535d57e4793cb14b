#include "session/vm_files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "base/error.h"
#include "session/other_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// The value of `key = "value"` in a configuration, which has one of these a line; empty if none.
std::string value_of(const fs::path& configuration, std::string_view key) {
  constexpr std::size_t longest = 64 * 1024;
  std::string text(longest, '\0');
  std::ifstream file(configuration, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(key) || line.find_first_of(" =", key.size()) != key.size()) continue;
    const std::size_t begin = line.find('"');
    const std::size_t end = line.rfind('"');
    if (begin != end) return line.substr(begin + 1, end - begin - 1);
  }
  return {};
}

// "vm-Snapshot1.vmsn (2026-11-23 17:00 UTC)"
std::string describe(const fs::path& checkpoint) {
  struct stat status {};
  if (::stat(checkpoint.c_str(), &status) != 0) return checkpoint.string();
  return fmt::format("{} ({:%Y-%m-%d %H:%M} UTC)", checkpoint.string(),
                     fmt::gmtime(status.st_mtim.tv_sec));
}

}  // namespace

bool is_vm_configuration(const fs::path& path) {
  return has_ending(path, ".vmx");
}

std::optional<fs::path> find_current(const fs::path& vmx,
                                     const std::vector<fs::path>& checkpoints) {
  // Written on Windows, or moved here: only the name counts.
  std::string state = value_of(vmx, "checkpoint.vmState");
  if (const std::size_t slash = state.find_last_of("/\\"); slash != std::string::npos) {
    state.erase(0, slash + 1);
  }
  const auto found = std::find_if(checkpoints.begin(), checkpoints.end(),
                                  [&](const fs::path& path) { return path.filename() == state; });
  return found == checkpoints.end() ? std::nullopt : std::optional(*found);
}

VmFolder list_vm_folder(const fs::path& folder) {
  VmFolder result;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    const fs::path& path = entry->path();
    if (!entry->is_regular_file(ignored)) continue;
    if (is_vm_configuration(path)) result.configurations.push_back(path);
    if (has_ending(path, ".vmss") || has_ending(path, ".vmsn")) result.checkpoints.push_back(path);
  }
  std::sort(result.configurations.begin(), result.configurations.end());
  std::sort(result.checkpoints.begin(), result.checkpoints.end());
  return result;
}

std::optional<fs::path> choose_checkpoint(const VmFolder& found,
                                          const std::optional<fs::path>& vmx) {
  std::vector<fs::path> configurations = found.configurations;
  if (vmx) configurations = {*vmx};
  if (configurations.size() == 1) {
    if (auto current = find_current(configurations.front(), found.checkpoints)) return current;
  }
  if (found.checkpoints.size() > 1) ask_which(found.checkpoints);
  return found.checkpoints.empty() ? std::nullopt : std::optional(found.checkpoints.front());
}

void ask_which(const std::vector<fs::path>& checkpoints) {
  std::vector<std::string> names;
  names.reserve(checkpoints.size());
  for (const fs::path& path : checkpoints) names.push_back(describe(path));
  throw Error(Failure::Usage, fmt::format("{}: expected one checkpoint, found {}: name the one to "
                                          "read",
                                          fmt::join(names, ", "), names.size()));
}

}  // namespace photon_dmesg
