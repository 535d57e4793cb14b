#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/health/busy_workers.h"
#include "kernel/health/cpu_health.h"
#include "kernel/health/guest_time.h"
#include "kernel/health/memory_use.h"
#include "kernel/health/panic_state.h"
#include "kernel/health/rcu.h"
#include "kernel/health/worker_pools.h"
#include "kernel/storage/disks.h"
#include "kernel/storage/file_systems.h"
#include "kernel/waits/activity.h"
#include "triage/finding.h"

namespace photon_dmesg {

// Everything that rules judge a guest by: values, so that a rule needs no guest.
struct GuestFacts {
  GuestTime time;
  PanicState panic;
  std::vector<VcpuActivity> vcpus;
  std::vector<TaskActivity> tasks;
  std::vector<CpuHealth> cpus;
  bool has_rcu = false;  // whether all of its state can be read
  std::optional<RcuGracePeriod> rcu;
  std::vector<std::uint32_t> cpus_of_pools;  // whose workers can be read
  std::vector<WorkerPool> pools;             // in which works wait
  std::vector<BusyWorker> busy_workers;
  MemoryUse memory;
  std::vector<FileSystem> file_systems;
  bool has_disks = false;  // whether they can be listed
  std::vector<Disk> disks;
  std::vector<Finding> logged;  // what the log tells
  std::optional<std::uint64_t> last_record_nsec;
  // By how much the times of tasks that are by_task_clock lag, as far as that is known: see
  // find_task_clock_lag().
  std::uint64_t task_clock_lag_nsec = 0;
};

// Whether the kernel's own variable says that it has not panicked, and no vCPU is in panic().
[[nodiscard]] bool denies_panic(const GuestFacts& facts);

// What the log tells, or what it does of `kind`. What it has as consequences of a panic that the
// kernel denies stands for itself.
[[nodiscard]] std::vector<Finding> logged_findings(const GuestFacts& facts);
[[nodiscard]] std::vector<Finding> logged_of(const GuestFacts& facts, FindingKind kind);

// The vCPU that is the kernel's CPU of that number; null if none is known to be.
[[nodiscard]] const VcpuActivity* vcpu_of(const GuestFacts& facts, std::uint32_t cpu);
// Null if there is no such task; for one of them: see TasksByAddress.
[[nodiscard]] const TaskActivity* task_at(const GuestFacts& facts, GuestVirtual task_struct);

// The tasks of a guest by their task_structs, for whoever asks for many.
class TasksByAddress {
 public:
  // `facts` must outlive this object.
  explicit TasksByAddress(const GuestFacts& facts);

  // Null if there is no such task.
  [[nodiscard]] const TaskActivity* find(GuestVirtual task_struct) const;

 private:
  std::map<GuestVirtual, const TaskActivity*> tasks_;
};

// Whether it is known when the timers of all CPUs are due, for how long tasks have not run, and
// what the workers of all CPUs have to do.
[[nodiscard]] bool has_timers(const GuestFacts& facts);
[[nodiscard]] bool has_ages(const GuestFacts& facts);
[[nodiscard]] bool has_workers(const GuestFacts& facts);

// For how long `task` has not run; nothing if that can't be told.
[[nodiscard]] std::optional<std::uint64_t> nsec_off_cpu(const GuestFacts& facts, const Task& task);
// For how long it has been ready to run and has got no CPU; nothing if it is not ready, or if that
// can't be told.
[[nodiscard]] std::optional<std::uint64_t> nsec_starved(const GuestFacts& facts, const Task& task);

// When the CPU that runs `task` was given to it; nothing if that is not known.
[[nodiscard]] std::optional<std::uint64_t> arrived_nsec(const GuestFacts& facts, const Task& task);
// By how much the clocks lag at least by which the times of tasks are that are by_task_clock: as
// that of the CPU whose tasks show the latest time; 0 if that is no longer ago than a guest may be
// idle. Those of other CPUs may lag by more.
[[nodiscard]] std::uint64_t find_task_clock_lag(const GuestFacts& facts);

// Whether enough is known to see that `cpu` hangs, or of none that any does: for how long tasks
// have not run, and whether it takes interrupts.
[[nodiscard]] bool can_show_lockup(const GuestFacts& facts, std::optional<std::uint32_t> cpu);
// Whether what the workers of `cpu` have to do is known.
[[nodiscard]] bool can_show_workers(const GuestFacts& facts, std::uint32_t cpu);

// Whether `vcpu` was in the kernel's code and not idle.
[[nodiscard]] bool is_busy_in_kernel(const VcpuActivity& vcpu);
// Whether it had nothing to do.
[[nodiscard]] bool is_idle(const VcpuActivity& vcpu);

// What `vcpu`, or the task of `activity`, is at for longer than a moment: its trace without the
// tick that came into it, if that is known to be a fresh one. Else the tick may be what does not
// end, and the trace is whole.
[[nodiscard]] Trace lasting_trace(const GuestFacts& facts, const VcpuActivity& vcpu);
[[nodiscard]] Trace lasting_trace(const GuestFacts& facts, const TaskActivity& activity);

}  // namespace photon_dmesg
