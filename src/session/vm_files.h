#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace photon_dmesg {

// The files that VMware keeps of a VM in one folder.

// Whether VMware's configuration of a VM (.vmx) is what `path` is named as.
[[nodiscard]] bool is_vm_configuration(const std::filesystem::path& path);

// Which of `checkpoints` the VM of the configuration at `vmx` was suspended to last, as its
// checkpoint.vmState says; nothing if it says none of them.
[[nodiscard]] std::optional<std::filesystem::path> find_current(
    const std::filesystem::path& vmx, const std::vector<std::filesystem::path>& checkpoints);

// What lies in the folder of a VM.
struct VmFolder {
  std::vector<std::filesystem::path> configurations;  // .vmx
  std::vector<std::filesystem::path> checkpoints;     // .vmss, .vmsn, by their names
};

// Lists `folder`, ascending by name, without the folders in it. Empty if it can't be read.
[[nodiscard]] VmFolder list_vm_folder(const std::filesystem::path& folder);

// The checkpoint that is meant by naming a folder that holds `found`, or the configuration `vmx` in
// it: the only one, or the current one. Nothing if it holds none. Throws Error(Usage) that lists
// them if it can't be told.
[[nodiscard]] std::optional<std::filesystem::path> choose_checkpoint(
    const VmFolder& found, const std::optional<std::filesystem::path>& vmx);

// The Error(Usage) that asks which of `checkpoints` is meant.
[[noreturn]] void ask_which(const std::vector<std::filesystem::path>& checkpoints);

}  // namespace photon_dmesg
