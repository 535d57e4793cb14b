#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rpm/rpm_package.h"

namespace photon_dmesg {

// If `path`, a file of a debuginfo package, is a vmlinux, the kernel release it is of (the name of
// its folder in /lib/modules); otherwise nothing. Knows every path that Photon's releases have
// used:
//   usr/lib/debug/lib/modules/4.4.8/vmlinux-4.4.8.debug                        1.0 GA
//   usr/lib/debug/lib/modules/4.19.325-1.ph3-esx/vmlinux-4.19.325-1.ph3-esx   since 4.4.35-2
//   usr/lib/debug/usr/lib/modules/RELEASE/vmlinux-RELEASE                      merged /usr
[[nodiscard]] std::optional<std::string> release_of_vmlinux_path(std::string_view path);

// A file of a package that tells a kernel's symbols.
struct KernelFile {
  enum class Kind { Vmlinux, SystemMap };
  Kind kind = Kind::Vmlinux;
  RpmPackage::File file;
  std::string release;  // as `uname -r`
};

// The best such file among a package's: vmlinux with its debug information, or else the System.map
// of a kernel package (boot/System.map-RELEASE; Photon 1.0 GA: boot/system.map-4.4.8 and
// boot/system.map-esx-4.4.8). A System.map is of the release that the package's modules are of.
[[nodiscard]] std::optional<KernelFile> find_kernel_file(
    const std::vector<RpmPackage::File>& files);

}  // namespace photon_dmesg
