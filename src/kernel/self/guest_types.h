#pragma once

#include <optional>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// The structures of the guest's kernel by all that is at hand, in the order of trust: what its
// symbols come with, if that goes beyond the log; BTF in its memory, and that of its modules;
// without all, what the tasks in its memory show. `kernel` and its symbols must outlive what is
// returned.
[[nodiscard]] KernelTypes types_of(const GuestKernel& kernel, Diagnostics& diagnostics);

// Where the list of tasks begins, if `types` are derived from it: then no symbol may tell.
[[nodiscard]] std::optional<GuestVirtual> derived_first_task(const KernelTypes& types);

// The same of any kernel's `types`: where no symbol tells, the list is found by its form, if it has
// the members where the types say.
[[nodiscard]] std::optional<GuestVirtual> find_first_task(const GuestKernel& kernel,
                                                          const KernelTypes& types,
                                                          Diagnostics& diagnostics);

}  // namespace photon_dmesg
