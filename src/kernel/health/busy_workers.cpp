#include "kernel/health/busy_workers.h"

#include "kernel/health/cpu_pools.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

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

  void add(std::uint32_t cpu, GuestVirtual pool, std::vector<BusyWorker>& busy) const {
    constexpr std::size_t most_workers = 100'000;
    for (const GuestVirtual node :
         walk_list(memory_, pool + workers_->offset, most_workers).nodes) {
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
                                          const Cpus& cpus) {
  std::vector<BusyWorker> busy;
  const Reader reader(kernel, types);
  if (!reader.is_complete()) return busy;
  for_each_cpu_pool(types, cpus, [&](std::uint32_t cpu, GuestVirtual pool, bool) {
    reader.add(cpu, pool, busy);
  });
  return busy;
}

}  // namespace photon_dmesg
