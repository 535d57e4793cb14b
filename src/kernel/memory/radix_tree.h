#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// What one of the kernel's trees by number holds (struct xarray since 4.20, radix_tree_root before)
// in the order of numbers, without these. `path` leads from a structure to the tree, as in
// "pid_namespace.idr.idr_rt", and `object` is that structure. Entries beyond `most`, nodes counted,
// and those that are met again are left out. Nothing if the types don't tell how it is made.
[[nodiscard]] std::optional<std::vector<GuestVirtual>> read_radix_tree(const KernelMemory& memory,
                                                                       const KernelTypes& types,
                                                                       GuestVirtual object,
                                                                       const std::string& path,
                                                                       std::uint64_t most);

}  // namespace photon_dmesg
