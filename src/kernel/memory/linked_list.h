#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
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

// Those lists of one kind that were found damaged, of which a guest may have thousands.
class DamagedLists {
 public:
  // `what`: what is in such lists, as the warning has it ("works").
  explicit DamagedLists(std::string what) : what_(std::move(what)) {}

  // `whose`: "CPU 1"; `why`: as ListNodes has it.
  void add(const std::string& whose, const std::string& why);

  // Names the first as something that is lacking, and counts the others.
  void warn(Diagnostics& diagnostics) const;

 private:
  std::string what_;
  std::string first_;
  std::size_t count_ = 0;
};

}  // namespace photon_dmesg
