#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace photon_dmesg {

// What VMware calls a file of a virtual machine.
struct VmFileName {
  const char* pattern;         // as of fnmatch(3), in upper or lower case
  std::string_view what = {};  // the file, for messages; empty for those that are inputs
  std::string_view advice = {};
  // Whether nothing else is called so that anybody would write over: "*.log" may be anything.
  bool is_vmwares_own = true;
};

inline constexpr const char* vm_configuration_name = "*.vmx";
// The host's log of a VM: of its run, and of earlier ones.
inline constexpr const char* vm_log_name = "vmware.log";
inline constexpr const char* old_vm_log_name = "vmware-[0-9]*.log";

// All of them.
[[nodiscard]] std::span<const VmFileName> vm_file_names();

// Whether `path` is named as VMware names a file, packed or not, and nobody else would.
[[nodiscard]] bool has_vmwares_name(const std::filesystem::path& path);

// Whether a file's name is of that pattern.
[[nodiscard]] bool is_named(const std::filesystem::path& path, const char* pattern);

// The same, of what is packed as well: with .gz or the like behind.
[[nodiscard]] bool is_named_or_packed(const std::filesystem::path& path, const char* pattern);

}  // namespace photon_dmesg
