#include "kernel/health/cpu_pools.h"

#include <fmt/format.h>

namespace photon_dmesg {

ListNodes PoolLists::walk(std::uint32_t cpu, GuestVirtual head) {
  constexpr std::size_t most_nodes = 100'000;
  ListNodes list = walk_list(memory_, head, most_nodes);
  if (list.broken) damaged_.add(fmt::format("CPU {}", cpu), *list.broken);
  return list;
}

}  // namespace photon_dmesg
