#pragma once

#include <string_view>

namespace photon_dmesg {

// Whether a file on an ISO, by its path, is the debuginfo package of some kernel flavor, such as
// RPMS/x86_64/linux-debuginfo-4.4.8-6.ph1.x86_64.rpm (main ISO of Photon 1.0) or
// DEBUGRPMS/x86_64/linux-esx-debuginfo-4.19.325-1.ph3.x86_64.rpm (debug ISO). Any folder will do:
// releases differ in it.
[[nodiscard]] bool is_kernel_debuginfo_package(std::string_view path);

// Whether its name says that it is of the kernel `release` (as uname -r, VERSION-RELEASE[-FLAVOR]):
// a debuginfo or a kernel package of that version, release and flavor.
[[nodiscard]] bool is_package_of_release(std::string_view path, std::string_view release);

// Whether it is a kernel package itself (it shows which kernels an ISO without debuginfo is of).
[[nodiscard]] bool is_kernel_package(std::string_view path);

}  // namespace photon_dmesg
