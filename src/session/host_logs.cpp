#include "session/host_logs.h"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "session/vm_file_names.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// More than any host keeps.
constexpr std::size_t most_logs = 64;

bool is_host_log_at(const fs::path& path) {
  std::error_code ignored;
  try {
    return fs::is_regular_file(path, ignored) && is_host_log(InputFile(path));
  } catch (const Error&) {
    return false;  // whoever needs it says why
  }
}

bool has_name_of_host_log(const fs::path& path) {
  constexpr std::array patterns = {"vmware.log", "vmware-[0-9]*.log"};
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return is_named(path, pattern); });
}

void add_once(std::vector<fs::path>& paths, const fs::path& path) {
  const bool is_known = std::any_of(paths.begin(), paths.end(), [&](const fs::path& known) {
    std::error_code ignored;
    return fs::equivalent(known, path, ignored);
  });
  if (!is_known && paths.size() < most_logs && is_host_log_at(path)) paths.push_back(path);
}

std::vector<fs::path> paths_of(const std::vector<fs::path>& files, const fs::path& checkpoint) {
  std::vector<fs::path> paths;
  for (const fs::path& file : files) add_once(paths, file);
  const fs::path folder = checkpoint.has_parent_path() ? checkpoint.parent_path() : fs::path(".");
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (has_name_of_host_log(entry->path())) {
      add_once(paths, checkpoint.has_parent_path() ? entry->path() : entry->path().filename());
    }
  }
  return paths;
}

}  // namespace

bool are_host_logs(const std::vector<fs::path>& files) {
  return !files.empty() && std::all_of(files.begin(), files.end(), is_host_log_at);
}

std::vector<HostLog> read_host_logs(const std::vector<fs::path>& files) {
  std::vector<std::pair<std::string, HostLog>> logs;
  for (const fs::path& path : files) {
    const InputFile file(path);
    logs.emplace_back(begin_of_host_log(file), HostLog{path, lines_of_guest(file)});
  }
  // Which of two numbers in their names is the older one depends on the product.
  std::stable_sort(logs.begin(), logs.end(), [](const auto& left, const auto& right) {
    return std::tie(left.first, left.second.path) < std::tie(right.first, right.second.path);
  });
  std::vector<HostLog> sorted;
  sorted.reserve(logs.size());
  for (auto& [begin, log] : logs) sorted.push_back(std::move(log));
  return sorted;
}

std::vector<HostLog> host_logs_of(const std::vector<fs::path>& files, const fs::path& checkpoint,
                                  Diagnostics& diagnostics) {
  try {
    return read_host_logs(paths_of(files, checkpoint));
  } catch (const Error& error) {
    diagnostics.found({.what = "no log of the host", .how = error.what()});
    return {};
  }
}

}  // namespace photon_dmesg
