#include "session/guest_facts.h"

#include <utility>

namespace photon_dmesg {

GuestFacts read_guest_facts(const Guest& guest, const GuestTasks* tasks, KnownTimes times,
                            std::vector<Finding> logged, Diagnostics& diagnostics) {
  const GuestKernel& kernel = guest.kernel();
  GuestFacts facts;
  facts.logged = std::move(logged);
  facts.last_record_nsec = times.last_record_nsec;
  facts.panic = read_panic_state(kernel);
  if (tasks == nullptr) return facts;
  SilentDiagnostics nothing;
  // What is not set up yet looks damaged.
  Diagnostics& said = is_in_early_boot(kernel) ? nothing : diagnostics;
  facts.vcpus = tasks->vcpus();
  facts.tasks = tasks->activities();
  for (const TaskActivity& activity : facts.tasks) {
    const auto& arrived = activity.task.arrived_nsec;
    if (arrived) times.scheduled_nsec.push_back(*arrived);
  }
  facts.time = read_guest_time(kernel, tasks->cpus(), times);
  facts.task_clock_lag_nsec = find_task_clock_lag(facts);
  facts.cpus = read_cpu_health(kernel, tasks->types(), tasks->cpus(), facts.time, said);
  RcuState rcu = read_rcu(kernel, tasks->types(), facts.time, said);
  facts.has_rcu = rcu.is_read;
  facts.rcu = std::move(rcu.open);
  WaitingPools pools = read_waiting_pools(kernel, tasks->types(), tasks->cpus(), facts.time, said);
  facts.cpus_of_pools = std::move(pools.known_cpus);
  facts.pools = std::move(pools.all);
  facts.busy_workers = read_busy_workers(kernel, tasks->types(), tasks->cpus(), said);
  facts.memory = read_memory_use(kernel, tasks->types(), tasks->cpus());
  facts.file_systems = read_file_systems(kernel, tasks->types(), diagnostics);
  auto disks = read_disks(kernel, tasks->types(), tasks->cpus(), said);
  facts.has_disks = disks.has_value();
  if (disks) facts.disks = std::move(*disks);
  return facts;
}

std::vector<std::string> missing_facts(const GuestFacts& facts) {
  std::vector<std::string> missing;
  const auto miss_unless = [&](bool is_there, const char* what) {
    if (!is_there) missing.emplace_back(what);
  };
  miss_unless(!facts.tasks.empty(), "tasks");
  miss_unless(facts.panic.panic_cpu.has_value(), "panic_cpu");
  miss_unless(has_timers(facts), "timers of CPUs");
  miss_unless(has_ages(facts), "how long tasks have waited");
  miss_unless(facts.has_rcu, "RCU");
  miss_unless(has_workers(facts), "workers");
  miss_unless(facts.time.hz.has_value(), "jiffies");
  miss_unless(facts.memory.free_pages.has_value(), "free memory");
  miss_unless(!facts.file_systems.empty(), "file systems");
  // By file systems disks are found.
  miss_unless(facts.has_disks || facts.file_systems.empty(), "disks");
  miss_unless(facts.last_record_nsec.has_value(), "the log");
  return missing;
}

}  // namespace photon_dmesg
