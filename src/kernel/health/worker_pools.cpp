#include "kernel/health/worker_pools.h"

#include "kernel/health/cpu_pools.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {

std::vector<WorkerPool> read_waiting_pools(const GuestKernel& kernel, const KernelTypes& types,
                                           const Cpus& cpus, const GuestTime& time) {
  constexpr std::size_t most_works = 100'000;
  const auto worklist = types.find("worker_pool.worklist");
  const auto progress = types.find_any({"worker_pool.last_progress_ts", "worker_pool.watchdog_ts"});
  std::vector<WorkerPool> pools;
  if (!worklist || !progress) return pools;
  for_each_cpu_pool(types, cpus, [&](std::uint32_t cpu, GuestVirtual pool, bool is_high_priority) {
    const auto then = read_number(kernel.memory(), pool, *progress);
    const auto stalled = then ? time.nsec_since_jiffies(*then) : std::nullopt;
    const std::size_t waiting =
        walk_list(kernel.memory(), pool + worklist->offset, most_works).nodes.size();
    if (stalled && waiting > 0) {
      pools.push_back({cpu, pool, is_high_priority, waiting, *stalled});
    }
  });
  return pools;
}

}  // namespace photon_dmesg
