#pragma once

#include <memory>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/btf.h"

namespace photon_dmesg {

// The types that the guest's kernel carries in its own image (CONFIG_DEBUG_INFO_BTF, since 5.4):
// where its symbols say that they are, or else wherever in the image something looks like them.
// Null if there are none that can be read.
[[nodiscard]] std::shared_ptr<const Btf> find_memory_btf(const GuestKernel& kernel,
                                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
