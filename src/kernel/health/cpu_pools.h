#pragma once

#include <cstdint>
#include <optional>

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

}  // namespace photon_dmesg
