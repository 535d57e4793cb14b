#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// What tells this guest, and this boot of it, from others.
struct GuestIdentity {
  std::optional<std::string> hostname;  // as `uname -n`
  // As /proc/sys/kernel/random/boot_id prints it, with dashes. The kernel makes one only when
  // somebody asks, as systemd does early in boot.
  std::optional<std::string> boot_id;
};

// Reads them from the kernel's variables init_uts_ns and sysctl_bootid; what can't be read is
// absent, with a note.
[[nodiscard]] GuestIdentity read_guest_identity(const GuestKernel& kernel,
                                                Diagnostics& diagnostics);

}  // namespace photon_dmesg
