#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// The nodes of one of the kernel's circular lists (struct list_head), without its head.
struct ListNodes {
  std::vector<GuestVirtual> nodes;  // where each one's list_head stands, in the list's order
  // Why some may be missing; nothing: the list is whole. What could be reached from its other end
  // is among the nodes.
  std::optional<std::string> broken;
};

// Follows the list at `head`. It ends where a pointer leads nowhere, where two neighbours don't
// name each other, where it comes back to a node, and with `most` nodes; then it is followed from
// the other end as far as that goes.
[[nodiscard]] ListNodes walk_list(const KernelMemory& memory, GuestVirtual head, std::size_t most);

}  // namespace photon_dmesg
