#include "kernel/health/busy_workers.h"

#include "kernel/health/cpu_pools.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

class Reader {
 public:
  Reader(const GuestKernel& kernel, const KernelTypes& types)
      : memory_(kernel.memory()),
        workers_(types.find("worker_pool.workers")),
        node_(types.find("worker.node")),
        task_(types.find("worker.task")),
        work_(types.find("worker.current_work")),
        begun_(types.find("worker.current_at")),
        runtime_(types.find("task_struct.se.sum_exec_runtime")) {}

  [[nodiscard]] bool is_complete() const {
    return workers_ && node_ && task_ && work_ && begun_ && runtime_;
  }

  // Those of the pool at `pool`, of whose lists `lists` are.
  void add(std::uint32_t cpu, GuestVirtual pool, PoolLists& lists,
           std::vector<BusyWorker>& busy) const {
    for (const GuestVirtual node : lists.walk(cpu, pool + workers_->offset).nodes) {
      const GuestVirtual worker{node.value - node_->offset};
      const auto work = read_number(memory_, worker, work_);
      const auto task = read_pointer(memory_, worker, task_);
      if (!work || *work == 0 || !task) continue;
      const auto begun = read_number(memory_, worker, begun_);  // by the task's own clock
      const auto ran = read_number(memory_, *task, runtime_);
      if (!begun || !ran || *begun > *ran) continue;
      busy.push_back({cpu, worker, *task, *ran - *begun});
    }
  }

 private:
  const KernelMemory& memory_;
  std::optional<Field> workers_;
  std::optional<Field> node_;
  std::optional<Field> task_;
  std::optional<Field> work_;
  std::optional<Field> begun_;
  std::optional<Field> runtime_;
};

}  // namespace

std::vector<BusyWorker> read_busy_workers(const GuestKernel& kernel, const KernelTypes& types,
                                          const Cpus& cpus, Diagnostics& diagnostics) {
  std::vector<BusyWorker> busy;
  const Reader reader(kernel, types);
  if (!reader.is_complete()) return busy;
  PoolLists lists(kernel.memory(), "workers");
  for_each_cpu_pool(types, cpus, [&](std::uint32_t cpu, GuestVirtual pool, bool) {
    reader.add(cpu, pool, lists, busy);
  });
  lists.warn(diagnostics);
  return busy;
}

}  // namespace photon_dmesg
