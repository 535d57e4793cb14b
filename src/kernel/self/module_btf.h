#pragma once

#include <memory>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/btf.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// The types that the guest's modules carry (CONFIG_DEBUG_INFO_BTF_MODULES, since 5.11), as far as
// the sources of `types` don't know them: a module may have another structure under a name of the
// kernel's. They are read when the first such structure is asked for. `kernel_btf`: the kernel's
// own, which those of modules go on from. Null if there are none.
[[nodiscard]] std::shared_ptr<const TypeSource> find_module_btf(
    const GuestKernel& kernel, const KernelTypes& types, std::shared_ptr<const Btf> kernel_btf,
    Diagnostics& diagnostics);

}  // namespace photon_dmesg
