#pragma once

#include <optional>
#include <string>

#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// Whether the struct uts_namespace at `init_uts_ns` names `release`: evidence that the address is
// right and the kernel is running.
[[nodiscard]] bool has_release(const KernelMemory& memory, GuestVirtual init_uts_ns,
                               const std::string& release);

// The host name that stands before `release` there, as `uname -n`; nothing if `release` is not
// there.
[[nodiscard]] std::optional<std::string> read_node_name(const KernelMemory& memory,
                                                        GuestVirtual init_uts_ns,
                                                        const std::string& release);

}  // namespace photon_dmesg
