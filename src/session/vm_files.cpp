#include "session/vm_files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "base/error.h"
#include "session/other_files.h"
#include "session/vm_file_names.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// The value of `key = "value"` in a configuration, which has one of these a line, the key in upper
// or lower case; nothing if none.
std::optional<std::string> value_of(const ByteSource& configuration, const std::string& key) {
  constexpr std::uint64_t longest = 64 * 1024;
  std::string text(std::min(longest, configuration.size()), '\0');
  configuration.read_at(0, std::as_writable_bytes(std::span(text)));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const bool is_key = ::strncasecmp(line.c_str(), key.c_str(), key.size()) == 0;
    if (!is_key || line.find_first_of(" =", key.size()) != key.size()) continue;
    const std::size_t begin = line.find('"');
    const std::size_t end = line.rfind('"');
    if (begin != end) return line.substr(begin + 1, end - begin - 1);
  }
  return std::nullopt;
}

// What the configuration at `vmx` says; nothing if it can't be read.
std::optional<std::string> said_current(const FileTree& tree, const fs::path& vmx) {
  try {
    SilentDiagnostics silent;
    return current_checkpoint(*tree.open(vmx, silent));
  } catch (const Error&) {
    return std::nullopt;  // as if it said nothing: then the user is asked
  }
}

// The one of `checkpoints` that has that name.
std::optional<fs::path> called(const std::string& name, const std::vector<fs::path>& checkpoints) {
  const auto found = std::find_if(checkpoints.begin(), checkpoints.end(),
                                  [&](const fs::path& path) { return path.filename() == name; });
  return found == checkpoints.end() ? std::nullopt : std::optional(*found);
}

// Of the only one that is there.
void warn_of_contradiction(const std::string& said, const fs::path& vmx, const fs::path& checkpoint,
                           Diagnostics& diagnostics) {
  if (!said.empty()) {
    diagnostics.warn_of_lack(
        fmt::format("{} says that {} is the current checkpoint, which is not there: this is of {}, "
                    "another moment",
                    vmx.string(), said, checkpoint.string()));
  } else if (has_ending(checkpoint, ".vmss")) {
    diagnostics.warn(
        fmt::format("{} says that the VM is not suspended: {} may be of an earlier time",
                    vmx.string(), checkpoint.string()));
  }
}

// "vm-Snapshot1.vmsn (2026-11-23 17:00 UTC)"
std::string describe(const FileTree& tree, const fs::path& file) {
  const std::optional<std::time_t> changed = tree.changed(file);
  if (!changed) return file.string();
  return fmt::format("{} ({:%Y-%m-%d %H:%M} UTC)", file.string(), fmt::gmtime(*changed));
}

}  // namespace

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_vm_configuration(const fs::path& path) {
  return has_ending(path, ".vmx");
}

bool is_named_as_checkpoint(const fs::path& path) {
  return has_ending(path, ".vmss") || has_ending(path, ".vmsn");
}

std::optional<std::string> current_checkpoint(const ByteSource& vmx) {
  // Written on Windows, or moved here: only the name counts.
  std::optional<std::string> state = value_of(vmx, "checkpoint.vmState");
  if (state) state->erase(0, state->find_last_of("/\\") + 1);
  return state;
}

std::optional<fs::path> find_current(const FileTree& tree, const fs::path& vmx,
                                     const std::vector<fs::path>& checkpoints) {
  return called(said_current(tree, vmx).value_or(""), checkpoints);
}

VmFolder sort_vm_files(const std::vector<fs::path>& files) {
  VmFolder result;
  for (const fs::path& path : files) {
    if (is_vm_configuration(path)) result.configurations.push_back(path);
    if (is_named_as_checkpoint(path)) result.checkpoints.push_back(path);
    if (has_ending(path, ".vmem")) result.memories.push_back(path);
    if (is_named(path, vm_log_name)) result.host_logs.push_back(path);
  }
  return result;
}

VmFolder list_vm_folder(const FileTree& tree, const fs::path& folder) {
  return sort_vm_files(tree.files(folder));
}

std::optional<fs::path> choose_checkpoint(const FileTree& tree, const VmFolder& found,
                                          const std::optional<fs::path>& vmx,
                                          Diagnostics& diagnostics) {
  std::vector<fs::path> configurations = found.configurations;
  if (vmx) configurations = {*vmx};
  const auto said =
      configurations.size() == 1 ? said_current(tree, configurations.front()) : std::nullopt;
  if (auto current = called(said.value_or(""), found.checkpoints)) return current;
  if (found.checkpoints.size() > 1) ask_which(tree, "checkpoint", found.checkpoints);
  if (found.checkpoints.empty()) return std::nullopt;
  const fs::path& only = found.checkpoints.front();
  if (said) warn_of_contradiction(*said, configurations.front(), only, diagnostics);
  return only;
}

void ask_which(const FileTree& tree, std::string_view what, const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const fs::path& path : files) names.push_back(describe(tree, path));
  throw Error(Failure::Usage, fmt::format("{}: expected one {}, found {}: name the one to read",
                                          fmt::join(names, ", "), what, names.size()));
}

}  // namespace photon_dmesg
