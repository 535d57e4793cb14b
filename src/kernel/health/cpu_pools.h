#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/budget.h"
#include "base/diagnostics.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/memory/linked_list.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// Calls `visit` with each CPU's number, the address of its struct worker_pool, and whether that is
// the one for works of high priority: each CPU has both. In 6.9 and later the works of softirqs
// have pools of their own, elsewhere.
template <typename Visit>
void for_each_cpu_pool(const KernelTypes& types, const Cpus& cpus, Visit visit) {
  const auto size = types.size_of("worker_pool");
  if (!size) return;
  for (const Cpu& cpu : cpus.all()) {
    const auto first = cpus.variable(cpu, "cpu_worker_pools");
    if (!first) continue;
    visit(cpu.number, *first, false);
    visit(cpu.number, *first + *size, true);
  }
}

// The lists of one kind that these pools have.
class PoolLists {
 public:
  // `what`: what is in them: "works". `memory` must outlive this object.
  PoolLists(const KernelMemory& memory, std::string what)
      : memory_(memory), budget_(what, most_nodes), damaged_(std::move(what)) {}

  // The nodes of the list at `head`, which belongs to a pool of that CPU. Broken also where more
  // was looked at than all lists of a sound guest have: those of a hostile one may share nodes.
  [[nodiscard]] ListNodes walk(std::uint32_t cpu, GuestVirtual head);

  // Says which lists are damaged, and if not all were looked at.
  void warn(Diagnostics& diagnostics) const;

 private:
  static constexpr std::size_t most_nodes = std::size_t{1} << 20;

  const KernelMemory& memory_;
  Budget budget_;
  DamagedLists damaged_;
};

}  // namespace photon_dmesg
