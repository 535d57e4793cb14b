#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/file_tree.h"

namespace photon_dmesg {

// The files that VMware keeps of a VM in one folder.

// The folder that `path` lies in: of a name alone, the current one.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& path);

// Whether VMware's configuration of a VM (.vmx) is what `path` is named as.
[[nodiscard]] bool is_vm_configuration(const std::filesystem::path& path);

// Whether VMware's checkpoint (.vmss, .vmsn) is what `path` is named as.
[[nodiscard]] bool is_named_as_checkpoint(const std::filesystem::path& path);

// The name of the checkpoint that the VM of the configuration in `vmx` was suspended to last, as
// its checkpoint.vmState says, without folders: empty if it says that the VM is not suspended,
// nothing if it does not say.
[[nodiscard]] std::optional<std::string> current_checkpoint(const ByteSource& vmx);

// Which of `checkpoints` that is for the configuration at `vmx`, in `tree`; nothing if it says none
// of them, or can't be read.
[[nodiscard]] std::optional<std::filesystem::path> find_current(
    const FileTree& tree, const std::filesystem::path& vmx,
    const std::vector<std::filesystem::path>& checkpoints);

// What lies in the folder of a VM.
struct VmFolder {
  std::vector<std::filesystem::path> configurations;  // .vmx
  std::vector<std::filesystem::path> checkpoints;     // .vmss, .vmsn, by their names
  std::vector<std::filesystem::path> memories;        // .vmem
  std::vector<std::filesystem::path> host_logs;       // vmware.log
};

// What `files`, which lie in one folder, are of these, in their order.
[[nodiscard]] VmFolder sort_vm_files(const std::vector<std::filesystem::path>& files);

// The same of all files in `folder`, ascending by name, without the folders in it. Empty if it
// can't be read.
[[nodiscard]] VmFolder list_vm_folder(const FileTree& tree, const std::filesystem::path& folder);

// The checkpoint that is meant by naming a folder of `tree` that holds `found`, or the
// configuration `vmx` in it: the only one, or the current one. Nothing if it holds none. Throws
// Error(Usage) that lists them if it can't be told. Warns if the configuration says that another
// one is current, which is not there, or that the VM is not suspended to this one any more.
[[nodiscard]] std::optional<std::filesystem::path> choose_checkpoint(
    const FileTree& tree, const VmFolder& found, const std::optional<std::filesystem::path>& vmx,
    Diagnostics& diagnostics);

// The Error(Usage) that asks which of `files` is meant, each of which is a `what` ("checkpoint").
[[noreturn]] void ask_which(const FileTree& tree, std::string_view what,
                            const std::vector<std::filesystem::path>& files);

}  // namespace photon_dmesg
