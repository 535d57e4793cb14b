#include "cli/private_names.h"

#include "base/error.h"
#include "base/input_file.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "cli/guest_facts.h"
#include "cli/host_lines.h"
#include "kernel/printk/kernel_log.h"
#include "report/redaction.h"
#include "session/other_files.h"
#include "session/several_guests.h"
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
    const KernelLog log =
        KernelLogReader(guest.kernel(), silent).read([&](const LogRecord& record) {
          redactor.learn(record.text);
          return true;
        });
    for (const UnloggedText& text : log.unlogged) redactor.learn(text.text);
  } catch (const Error& error) {
    silent.found({.what = "no log", .how = error.what()});
  }
}

void learn_guests(const GuestGroups& groups, const std::shared_ptr<BundleTree>& tree,
                  const session::Options& options, Redactor& redactor) {
  SilentDiagnostics silent;
  session::SeveralGuests guests(groups, tree, options, silent);
  for (std::size_t i = 0; i < guests.size(); ++i) {
    try {
      const Guest guest = guests.open(i, silent);
      GuestInfo info = describe_guest(guest, silent);
      redact(redactor, info);
      learn_hosts(guest, redactor);
      const HostEvidence host = read_host_lines(guests.files(i), guest, silent);
      for (const HostLine& line : host.lines()) redactor.learn(line.text);
    } catch (const Error& error) {
      silent.found({.what = "no guest", .how = error.what()});
    }
  }
}

void warn_of_missed_names(const Redactor& redactor, Diagnostics& diagnostics) {
  if (!redactor.missed_names()) return;
  diagnostics.warn_of_lack(
      "the log introduces more hosts than --redact keeps in mind: look for names of others in the "
      "output before you hand it on");
}

}  // namespace photon_dmesg
