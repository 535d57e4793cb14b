#pragma once

#include <optional>
#include <string>

#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// A VMCOREINFO for a kernel that has none of its own (built without CONFIG_KEXEC_CORE and
// CONFIG_PROC_KCORE, as linux-esx is): of what is proved of it, the lines without which drgn opens
// no core. Nothing if its symbols don't tell where init_uts_ns and its page tables are.
[[nodiscard]] std::optional<std::string> make_vmcoreinfo(const GuestKernel& kernel);

}  // namespace photon_dmesg
