#include "triage/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace photon_dmesg {

const std::vector<KindNames>& finding_kinds() {
  static const std::vector<KindNames> kinds = {
      {FindingKind::Panic, "panic", "PANIC"},
      {FindingKind::Oops, "oops", "OOPS"},
      {FindingKind::Deadlock, "deadlock", "DEADLOCK"},
      {FindingKind::HardLockup, "hard_lockup", "HARD LOCKUP"},
      {FindingKind::SoftLockup, "soft_lockup", "SOFT LOCKUP"},
      {FindingKind::StorageStalled, "storage_stalled", "STORAGE STALLED"},
      {FindingKind::FrozenFileSystem, "frozen_file_system", "FROZEN FILE SYSTEM"},
      {FindingKind::BlockedTasks, "blocked_tasks", "BLOCKED TASKS"},
      {FindingKind::RcuStall, "rcu_stall", "RCU STALL"},
      {FindingKind::StalledWorkers, "stalled_workers", "STALLED WORKERS"},
      {FindingKind::StarvedTasks, "starved_tasks", "STARVED TASKS"},
      {FindingKind::OutOfMemory, "out_of_memory", "OUT OF MEMORY"},
      {FindingKind::ReadOnlyFileSystem, "read_only_file_system", "READ-ONLY FILE SYSTEM"},
      {FindingKind::MachineCheck, "machine_check", "MACHINE CHECK"},
      {FindingKind::MemoryCorruption, "memory_corruption", "MEMORY CORRUPTION"},
      {FindingKind::KernelBug, "kernel_bug", "KERNEL BUG"},
      {FindingKind::SleepInAtomic, "sleep_in_atomic", "SLEEP IN ATOMIC CONTEXT"},
      {FindingKind::RefcountError, "refcount_error", "REFCOUNT ERROR"},
      {FindingKind::UndefinedBehavior, "undefined_behavior", "UNDEFINED BEHAVIOR"},
      {FindingKind::DataRace, "data_race", "DATA RACE"},
      {FindingKind::LockingError, "locking_error", "LOCKING ERROR"},
      {FindingKind::FileSystemError, "file_system_error", "FILE SYSTEM ERROR"},
      {FindingKind::IoError, "io_error", "I/O ERROR"},
      {FindingKind::ScsiAbort, "scsi_abort", "SCSI ABORT"},
      {FindingKind::DeviceStuck, "device_stuck", "DEVICE STUCK"},
      {FindingKind::MemoryLow, "memory_low", "MEMORY LOW"},
      {FindingKind::MemoryLeak, "memory_leak", "MEMORY LEAK"},
      {FindingKind::Warning, "warning", "WARNING"},
      {FindingKind::WorkqueueHog, "workqueue_hog", "WORKQUEUE HOG"},
      {FindingKind::ClockUnstable, "clock_unstable", "CLOCK UNSTABLE"},
      {FindingKind::TimeJump, "time_jump", "TIME JUMP"},
      {FindingKind::LinkFlap, "link_flap", "LINK FLAP"},
      {FindingKind::Balloon, "balloon", "BALLOON"},
      {FindingKind::Segfault, "segfault", "SEGFAULT"},
      {FindingKind::FailedUnit, "failed_unit", "FAILED UNIT"},
  };
  return kinds;
}

namespace {

const KindNames& names_of(FindingKind kind) {
  const auto& kinds = finding_kinds();
  return *std::find_if(kinds.begin(), kinds.end(),
                       [kind](const KindNames& names) { return names.kind == kind; });
}

}  // namespace

std::string_view name_of(FindingKind kind) {
  return names_of(kind).name;
}

std::string_view title_of(FindingKind kind) {
  return names_of(kind).title;
}

std::optional<FindingKind> finding_kind(std::string_view name) {
  for (const KindNames& names : finding_kinds()) {
    if (names.name == name) return names.kind;
  }
  return std::nullopt;
}

std::string_view name_of(Grade grade) {
  switch (grade) {
    case Grade::Certain:
      return "certain";
    case Grade::Strong:
      return "strong";
    case Grade::Weak:
      break;
  }
  return "weak";
}

std::string log_time(std::uint64_t nsec) {
  constexpr std::uint64_t second = 1'000'000'000;
  return fmt::format("{}.{:06}", nsec / second, nsec % second / 1000);
}

std::string describe(const TaskName& task) {
  return task.pid < 0 || task.comm.empty() ? task.comm
                                           : fmt::format("{} ({})", task.comm, task.pid);
}

std::string describe(const Witness& witness) {
  std::string text;
  // Without its time it is a part of a record that is named by another witness.
  if (witness.record && witness.nsec) {
    text = fmt::format("log record {} at {}: ", *witness.record, log_time(*witness.nsec));
  }
  text += witness.what;
  if (!witness.value.empty()) text += '=' + witness.value;
  return text;
}

}  // namespace photon_dmesg
