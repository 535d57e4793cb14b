#include "session/vm_file_names.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "checkpoint/vmware/companion_file.h"

namespace photon_dmesg {
namespace {

constexpr std::string_view give_checkpoint = "give the checkpoint and its memory";
constexpr std::string_view not_needed = "it is not needed";

// The first that fits counts.
constexpr std::array names = {
    VmFileName{"*.vmss"},   // suspended
    VmFileName{"*.vmsn"},   // snapshot
    VmFileName{"*.vmem"},   // memory
    VmFileName{"*.guest"},  // debug.guest
    VmFileName{vm_configuration_name},
    VmFileName{"*.vmtx"},  // a template's
    VmFileName{"*.lck"},   // lock
    VmFileName{"*.vmdk", "a virtual disk (.vmdk)", give_checkpoint},
    VmFileName{"*.nvram", "the VM's firmware variables (.nvram)", not_needed},
    VmFileName{"*.vmsd", "the VM's list of snapshots (.vmsd)", give_checkpoint},
    VmFileName{"*.vmxf", "a part of the VM's configuration (.vmxf)", not_needed},
    VmFileName{"*.vmx~", "an old copy of the VM's configuration", not_needed},
    VmFileName{"*.vswp", "the VM's swap file (.vswp)", not_needed},
    VmFileName{"*.hlog", "a log of the host's (.hlog)", not_needed},
    VmFileName{"*.scoreboard", "the host's statistics (.scoreboard)", not_needed},
    VmFileName{vm_log_name, "the host's log of a VM (vmware.log)", give_checkpoint},
    VmFileName{old_vm_log_name, "the host's log of a VM (vmware.log)", give_checkpoint},
    VmFileName{"*.log", "a text log", give_checkpoint, false},
    VmFileName{"*.png", "a picture", not_needed, false},
};

}  // namespace

std::span<const VmFileName> vm_file_names() {
  return names;
}

bool has_vmwares_name(const std::filesystem::path& path) {
  return std::any_of(names.begin(), names.end(), [&](const VmFileName& known) {
    return known.is_vmwares_own && is_named_or_packed(path, known.pattern);
  });
}

bool is_named(const std::filesystem::path& path, const char* pattern) {
  return ::fnmatch(pattern, path.filename().c_str(), FNM_CASEFOLD) == 0;
}

bool is_named_or_packed(const std::filesystem::path& path, const char* pattern) {
  return is_named(is_packed_name(path) ? path.stem() : path, pattern);
}

}  // namespace photon_dmesg
