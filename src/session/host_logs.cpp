#include "session/host_logs.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "session/bundled_guests.h"
#include "session/vm_file_names.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// More than any host keeps.
constexpr std::size_t most_logs = 64;

bool is_host_log_in(const FileTree& tree, const fs::path& path) {
  SilentDiagnostics silent;
  try {
    return is_host_log(*tree.open(path, silent));
  } catch (const Error&) {
    return false;  // whoever needs it says why
  }
}

bool is_host_log_at(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && is_host_log_in(disk_tree(), path);
}

bool has_name_of_host_log(const fs::path& path) {
  constexpr std::array patterns = {vm_log_name, old_vm_log_name};
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return is_named(path, pattern); });
}

// Logs to be read, each once.
struct Found {
  const FileTree& tree;
  std::vector<fs::path> paths = {};

  void add(const fs::path& path) {
    const bool is_known = std::any_of(paths.begin(), paths.end(), [&](const fs::path& known) {
      return tree.are_same(known, path);
    });
    if (!is_known && paths.size() < most_logs && is_host_log_in(tree, path)) paths.push_back(path);
  }
};

std::vector<fs::path> paths_of(const std::vector<fs::path>& files, const fs::path& checkpoint,
                               const FileTree& tree) {
  Found found{tree};
  for (const fs::path& file : files) {
    if (is_host_log_at(file)) found.add(file);
  }
  const fs::path folder = checkpoint.has_parent_path() ? checkpoint.parent_path() : fs::path(".");
  for (const fs::path& path : tree.files(folder)) {
    if (!has_name_of_host_log(path)) continue;
    found.add(checkpoint.has_parent_path() ? path : path.filename());
  }
  return std::move(found.paths);
}

using Open = std::function<std::shared_ptr<const ByteSource>(const fs::path& path)>;

std::vector<HostLog> read_logs(const std::vector<fs::path>& paths, const Open& open,
                               Diagnostics& diagnostics) {
  std::vector<std::pair<std::string, std::shared_ptr<const ByteSource>>> files;
  for (const fs::path& path : paths) {
    auto file = open(path);
    files.emplace_back(begin_of_host_log(*file), std::move(file));
  }
  // The newest first. Which of two numbers in their names is the older one depends on the product.
  std::sort(files.begin(), files.end(), [](const auto& left, const auto& right) {
    return std::tie(right.first, right.second->name()) < std::tie(left.first, left.second->name());
  });
  HostLogRoom room;
  std::vector<HostLog> logs;
  logs.reserve(files.size());
  for (const auto& [begin, file] : files) {
    logs.push_back({file->name(), lines_of_guest(*file, room)});
  }
  if (room.was_too_small) {
    diagnostics.warn_of_lack(
        "the guest sent its host more lines than are read: the oldest are left out");
  }
  std::reverse(logs.begin(), logs.end());
  return logs;
}

}  // namespace

bool are_host_logs(const std::vector<fs::path>& files, BundleTree& tree, Diagnostics& diagnostics) {
  if (files.empty()) return false;
  if (std::all_of(files.begin(), files.end(), is_host_log_at)) return true;
  return files.size() == 1 && find_host_log(files.front(), tree, diagnostics) != nullptr;
}

std::vector<HostLog> read_host_logs(const std::vector<fs::path>& files, BundleTree& tree,
                                    Diagnostics& diagnostics) {
  const auto open = [&](const fs::path& path) {
    auto found = is_host_log_at(path) ? nullptr : find_host_log(path, tree, diagnostics);
    return found ? found : tree.open(path, diagnostics);
  };
  return read_logs(files, open, diagnostics);
}

std::vector<HostLog> host_logs_of(const std::vector<fs::path>& files, const fs::path& checkpoint,
                                  const FileTree& tree, Diagnostics& diagnostics) {
  try {
    const auto open = [&](const fs::path& path) { return tree.open(path, diagnostics); };
    return read_logs(paths_of(files, checkpoint, tree), open, diagnostics);
  } catch (const Error& error) {
    diagnostics.found({.what = "no log of the host", .how = error.what()});
    return {};
  }
}

}  // namespace photon_dmesg
