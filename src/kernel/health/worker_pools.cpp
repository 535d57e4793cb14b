#include "kernel/health/worker_pools.h"

#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {

std::vector<WorkerPool> read_waiting_pools(const GuestKernel& kernel, const KernelTypes& types,
                                           const Cpus& cpus, const GuestTime& time) {
  constexpr std::size_t most_works = 100'000;
  const auto size = types.size_of("worker_pool");
  const auto worklist = types.find("worker_pool.worklist");
  const auto progress = types.find_any({"worker_pool.last_progress_ts", "worker_pool.watchdog_ts"});
  std::vector<WorkerPool> pools;
  if (!size || !worklist || !progress) return pools;
  for (const Cpu& cpu : cpus.all()) {
    // In 6.9 and later the works of softirqs have pools of their own, elsewhere.
    const auto first = cpus.variable(cpu, "cpu_worker_pools");
    for (const bool is_high_priority : {false, true}) {
      if (!first) break;
      const GuestVirtual pool = *first + (is_high_priority ? *size : 0);
      const auto then = read_number(kernel.memory(), pool, *progress);
      const auto stalled = then ? time.nsec_since_jiffies(*then) : std::nullopt;
      const std::size_t waiting =
          walk_list(kernel.memory(), pool + worklist->offset, most_works).nodes.size();
      if (!stalled || waiting == 0) continue;
      pools.push_back({cpu.number, pool, is_high_priority, waiting, *stalled});
    }
  }
  return pools;
}

}  // namespace photon_dmesg
