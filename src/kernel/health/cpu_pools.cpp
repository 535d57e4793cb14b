#include "kernel/health/cpu_pools.h"

#include <fmt/format.h>

namespace photon_dmesg {

ListNodes PoolLists::walk(std::uint32_t cpu, GuestVirtual head) {
  constexpr std::size_t most_of_list = 100'000;
  if (budget_.exceeded()) return {{}, "it was not looked at"};
  ListNodes list = walk_list(memory_, head, most_of_list);
  if (list.broken) damaged_.add(fmt::format("CPU {}", cpu), *list.broken);
  (void)budget_.take(list.nodes.size());
  return list;
}

void PoolLists::warn(Diagnostics& diagnostics) const {
  damaged_.warn(diagnostics);
  budget_.warn_if_exceeded("the lists of all CPUs' workers", diagnostics);
}

}  // namespace photon_dmesg
