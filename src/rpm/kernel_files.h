#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace photon_dmesg {

// If `path`, a file of a debuginfo package, is a vmlinux, the kernel release it is of (the name of
// its folder in /lib/modules); otherwise nothing. Knows every path that Photon's releases have
// used:
//   usr/lib/debug/lib/modules/4.4.8/vmlinux-4.4.8.debug                        1.0 GA
//   usr/lib/debug/lib/modules/4.19.325-1.ph3-esx/vmlinux-4.19.325-1.ph3-esx   since 4.4.35-2
//   usr/lib/debug/usr/lib/modules/RELEASE/vmlinux-RELEASE                      merged /usr
[[nodiscard]] std::optional<std::string> release_of_vmlinux_path(std::string_view path);

}  // namespace photon_dmesg
