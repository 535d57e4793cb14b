#include "kernel/health/worker_pools.h"

#include "kernel/health/cpu_pools.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {

namespace {

struct PoolMembers {
  Field worklist;
  Field progress;
};

std::optional<PoolMembers> pool_members(const KernelTypes& types) {
  const auto worklist = types.find("worker_pool.worklist");
  const auto progress = types.find_any({"worker_pool.last_progress_ts", "worker_pool.watchdog_ts"});
  if (!worklist || !progress) return std::nullopt;
  return PoolMembers{*worklist, *progress};
}

}  // namespace

WaitingPools read_waiting_pools(const GuestKernel& kernel, const KernelTypes& types,
                                const Cpus& cpus, const GuestTime& time, Diagnostics& diagnostics) {
  const std::optional<PoolMembers> members = pool_members(types);
  WaitingPools pools;
  if (!members || !time.hz) return pools;
  PoolLists works(kernel.memory(), "works");
  for_each_cpu_pool(types, cpus, [&](std::uint32_t cpu, GuestVirtual pool, bool is_high_priority) {
    const auto then = read_number(kernel.memory(), pool, members->progress);
    const auto stalled = then ? time.nsec_since_jiffies(*then) : std::nullopt;
    const ListNodes waiting = works.walk(cpu, pool + members->worklist.offset);
    if (stalled && !waiting.nodes.empty()) {
      pools.all.push_back({cpu, pool, is_high_priority, waiting.nodes.size(), *stalled});
    }
    if (!is_high_priority) pools.known_cpus.push_back(cpu);  // it comes first
    if (!stalled || waiting.broken) std::erase(pools.known_cpus, cpu);
  });
  works.warn(diagnostics);
  return pools;
}

}  // namespace photon_dmesg
