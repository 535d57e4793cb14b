#include "session/bundled_guests.h"

#include <algorithm>
#include <map>
#include <system_error>

#include "base/error.h"
#include "checkpoint/vmware/host_log.h"
#include "session/vm_file_names.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

void append(std::vector<fs::path>& all, const std::vector<fs::path>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

std::vector<fs::path> checkpoints_of(const FileTree& tree, const VmFolder& vm) {
  if (vm.configurations.size() != 1) return vm.checkpoints;
  const auto current = find_current(tree, vm.configurations.front(), vm.checkpoints);
  return current ? std::vector{*current} : vm.checkpoints;
}

// Those of `host_logs` to which a guest has sent something.
std::vector<fs::path> only_with_lines_of_guest(const FileTree& tree,
                                               const std::vector<fs::path>& host_logs,
                                               Diagnostics& diagnostics) {
  std::vector<fs::path> found;
  for (const fs::path& path : host_logs) {
    try {
      const auto file = tree.open(path, diagnostics);
      if (is_host_log(*file) && has_lines_of_guest(*file)) found.push_back(path);
    } catch (const Error& error) {
      diagnostics.found({.what = error.what()});
    }
  }
  return found;
}

}  // namespace

BundledGuests find_bundled_guests(const BundleTree& tree, const fs::path& folder) {
  std::map<fs::path, std::vector<fs::path>> folders;
  for (const fs::path& file : tree.files_below(folder)) {
    folders[file.parent_path()].push_back(file);
  }
  BundledGuests guests;
  for (const auto& [path, files] : folders) {
    const VmFolder vm = sort_vm_files(files);
    if (!vm.checkpoints.empty()) {
      append(guests.checkpoints, checkpoints_of(tree, vm));
    } else if (!vm.memories.empty()) {
      append(guests.memories, vm.memories);
    } else {
      append(guests.host_logs, vm.host_logs);
    }
  }
  return guests;
}

std::shared_ptr<const ByteSource> find_host_log(const fs::path& path, BundleTree& tree,
                                                Diagnostics& diagnostics) {
  std::error_code ignored;
  tree.enter(path, diagnostics);
  if (tree.is_bundled(path) && tree.is_folder(path)) {
    const BundledGuests guests = find_bundled_guests(tree, path);
    if (!guests.checkpoints.empty() || !guests.memories.empty()) return nullptr;
    const auto logs = only_with_lines_of_guest(tree, guests.host_logs, diagnostics);
    if (logs.size() > 1) ask_which(tree, "vmware.log", logs);
    return logs.empty() ? nullptr : tree.open(logs.front(), diagnostics);
  }
  const bool is_file =
      tree.is_bundled(path) ? is_named(path, "vmware*.log") : fs::is_regular_file(path, ignored);
  if (!is_file) return nullptr;
  auto file = tree.open(path, diagnostics);
  return is_host_log(*file) ? file : nullptr;
}

}  // namespace photon_dmesg
