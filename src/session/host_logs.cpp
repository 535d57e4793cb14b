#include "session/host_logs.h"

#include <fmt/format.h>

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
#include "session/vm_files.h"

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

// It may have the last that the guest said.
void warn_unread(const Error& error, Diagnostics& diagnostics) {
  diagnostics.warn_of_lack(
      fmt::format("not used: {}: it may hold what the guest sent to its host", error.what()));
}

struct OpenLog {
  std::string begin;
  std::shared_ptr<const ByteSource> file;
};

// Logs to be read, each once.
class LogsOfVm {
 public:
  LogsOfVm(const FileTree& tree, Diagnostics& diagnostics)
      : tree_(tree), diagnostics_(diagnostics) {}

  void add(const fs::path& path) {
    const bool is_known = std::any_of(paths_.begin(), paths_.end(), [&](const fs::path& known) {
      return tree_.are_same(known, path);
    });
    if (is_known || paths_.size() >= most_logs) return;
    try {
      auto file = tree_.open(path, diagnostics_);
      if (!is_host_log(*file)) return;
      paths_.push_back(path);
      std::string begin = begin_of_host_log(*file);
      logs.push_back({std::move(begin), std::move(file)});
    } catch (const Error& error) {
      warn_unread(error, diagnostics_);
    }
  }

  std::vector<OpenLog> logs;

 private:
  const FileTree& tree_;
  Diagnostics& diagnostics_;
  std::vector<fs::path> paths_;
};

std::vector<OpenLog> find_logs(const std::vector<fs::path>& files, const fs::path& checkpoint,
                               const FileTree& tree, Diagnostics& diagnostics) {
  LogsOfVm found(tree, diagnostics);
  for (const fs::path& file : files) {
    if (is_host_log_at(file)) found.add(file);
  }
  for (const fs::path& path : tree.files(folder_of(checkpoint))) {
    if (!has_name_of_host_log(path)) continue;
    found.add(checkpoint.has_parent_path() ? path : path.filename());
  }
  return std::move(found.logs);
}

// `fail` says what becomes of a log that can't be read to its end.
std::vector<HostLog> read_logs(std::vector<OpenLog> files,
                               const std::function<void(const Error& error)>& fail,
                               Diagnostics& diagnostics) {
  // The newest first. Which of two numbers in their names is the older one depends on the product.
  std::sort(files.begin(), files.end(), [](const auto& left, const auto& right) {
    return std::tie(right.begin, right.file->name()) < std::tie(left.begin, left.file->name());
  });
  HostLogRoom room;
  std::vector<HostLog> logs;
  logs.reserve(files.size());
  for (const auto& [begin, file] : files) {
    try {
      logs.push_back({file->name(), lines_of_guest(*file, room), is_read_whole(*file)});
    } catch (const Error& error) {
      fail(error);
    }
  }
  for (const HostLog& log : logs) {
    if (log.is_whole) continue;
    diagnostics.warn_of_lack(fmt::format(
        "{}: more than 64 MiB: only its end is read, and what the guest sent before is left out",
        log.path.string()));
  }
  if (room.was_too_small) {
    diagnostics.warn_of_lack(
        "the guest sent its host more lines than are read: the oldest are left out");
  }
  std::reverse(logs.begin(), logs.end());
  return logs;
}

// VMware keeps all logs of a VM beside each other: others are of another VM.
void require_one_folder(const std::vector<fs::path>& files, const FileTree& tree) {
  for (const fs::path& file : files) {
    if (tree.are_same(folder_of(file), folder_of(files.front()))) continue;
    throw Error(Failure::Usage,
                fmt::format("{} and {}: expected the logs of one VM, which lie in one folder: read "
                            "them one by one",
                            files.front().string(), file.string()));
  }
}

}  // namespace

bool are_host_logs(const std::vector<fs::path>& files, BundleTree& tree, Diagnostics& diagnostics) {
  if (files.empty()) return false;
  if (std::all_of(files.begin(), files.end(), is_host_log_at)) return true;
  return files.size() == 1 && find_host_log(files.front(), tree, diagnostics) != nullptr;
}

std::vector<HostLog> read_host_logs(const std::vector<fs::path>& files, BundleTree& tree,
                                    Diagnostics& diagnostics) {
  require_one_folder(files, tree);
  std::vector<OpenLog> logs;
  for (const fs::path& path : files) {
    auto file = is_host_log_at(path) ? nullptr : find_host_log(path, tree, diagnostics);
    if (!file) file = tree.open(path, diagnostics);
    std::string begin = begin_of_host_log(*file);
    logs.push_back({std::move(begin), std::move(file)});
  }
  const auto fail = [](const Error& error) { throw Error(error); };
  return read_logs(std::move(logs), fail, diagnostics);
}

std::vector<HostLog> host_logs_of(const std::vector<fs::path>& files, const fs::path& checkpoint,
                                  const FileTree& tree, Diagnostics& diagnostics) {
  const auto fail = [&](const Error& error) { warn_unread(error, diagnostics); };
  return read_logs(find_logs(files, checkpoint, tree, diagnostics), fail, diagnostics);
}

}  // namespace photon_dmesg
