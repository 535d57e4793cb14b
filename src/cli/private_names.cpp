#include "cli/private_names.h"

#include "base/error.h"
#include "base/input_file.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "kernel/printk/kernel_log.h"
#include "session/other_files.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// The files that may be the checkpoints meant by naming `path`.
std::vector<fs::path> checkpoints_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return list_vm_folder(disk_tree(), path).checkpoints;
  if (!fs::is_regular_file(path, ignored)) return {};  // what can be read once only is not for this
  if (is_vm_configuration(path) || has_ending(path, ".vmem")) {
    const fs::path folder = path.parent_path();
    return list_vm_folder(disk_tree(), folder.empty() ? fs::path(".") : folder).checkpoints;
  }
  return {path};
}

void learn_machine(const fs::path& checkpoint, Redactor& redactor) {
  try {
    if (const auto name = read_machine_name(InputFile(checkpoint))) redactor.add_machine(*name);
  } catch (const Error&) {
    return;  // no checkpoint: whoever reads it says so
  }
}

}  // namespace

void learn_machines(const std::vector<fs::path>& files, Redactor& redactor) {
  for (const fs::path& file : files) {
    for (const fs::path& checkpoint : checkpoints_of(file)) learn_machine(checkpoint, redactor);
  }
}

void learn_hosts(const Guest& guest, Redactor& redactor) {
  SilentDiagnostics silent;
  try {
    KernelLogReader(guest.kernel(), silent).read_records([&](const LogRecord& record) {
      redactor.learn(record.text);
      return true;
    });
  } catch (const Error& error) {
    silent.found({.what = "no log", .how = error.what()});
  }
}

}  // namespace photon_dmesg
