#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace photon_dmesg {

// What can be wrong with a guest, in the order in which it is the verdict: the first of those that
// are found is what an engineer has to know first.
enum class FindingKind {
  Panic,
  Oops,  // an exception of the kernel's own that it survived
  Deadlock,
  HardLockup,
  SoftLockup,
  StorageStalled,
  FrozenFileSystem,
  BlockedTasks,
  RcuStall,
  StalledWorkers,
  StarvedTasks,
  OutOfMemory,
  ReadOnlyFileSystem,
  // What the log alone tells.
  MachineCheck,
  MemoryCorruption,   // KASAN, KFENCE, KMSAN, a damaged list or slab
  KernelBug,          // BUG: of any other kind
  SleepInAtomic,      // sleeping function called, scheduling while atomic
  RefcountError,      // refcount_t: underflow, saturated
  UndefinedBehavior,  // UBSAN
  DataRace,           // KCSAN
  LockingError,       // lockdep
  FileSystemError,
  IoError,
  ScsiAbort,
  DeviceStuck,  // a network device that is not released, a transmit queue that timed out
  MemoryLow,
  MemoryLeak,  // kmemleak
  Warning,     // WARN()
  WorkqueueHog,
  ClockUnstable,
  TimeJump,
  LinkFlap,
  Balloon,
  Segfault,
  FailedUnit,  // systemd could not start or mount something
};

// How sure a finding is.
enum class Grade {
  Certain,  // the kernel's own word for it, or what can't be otherwise
  Strong,   // two witnesses that don't depend on each other
  Weak,     // one
};

// What a kind is called: in JSON and by --fail-on ("hard_lockup"), and as a verdict ("HARD
// LOCKUP").
struct KindNames {
  FindingKind kind;
  std::string_view name;
  std::string_view title;
};

// All kinds, in their order. docs/triage.md describes each.
[[nodiscard]] const std::vector<KindNames>& finding_kinds();
[[nodiscard]] std::string_view name_of(FindingKind kind);
[[nodiscard]] std::string_view title_of(FindingKind kind);
[[nodiscard]] std::optional<FindingKind> finding_kind(std::string_view name);

// "certain", "strong", "weak".
[[nodiscard]] std::string_view name_of(Grade grade);

// One thing that speaks for or against a finding, and where it was read.
struct Witness {
  std::string what = {};                     // "panic_cpu"; for a record its words
  std::string value = {};                    // "1"; empty where `what` says all
  std::optional<GuestVirtual> address = {};  // of what was read
  std::optional<std::uint64_t> record = {};  // sequence number, if the log says it
  std::optional<std::uint64_t> nsec = {};    // that record's time since boot
};

// Nanoseconds since boot as the log has them: "8.936664".
[[nodiscard]] std::string log_time(std::uint64_t nsec);

// "panic_cpu=1", "log record 417 at 8.936664: Kernel panic ...".
[[nodiscard]] std::string describe(const Witness& witness);

// A task as a finding names it: its thread's pid, which is negative where it is not known.
struct TaskName {
  std::int32_t pid = 0;
  std::string comm;
};

// "sh (146)"; without a pid "sh".
[[nodiscard]] std::string describe(const TaskName& task);

// A task that a finding concerns.
struct AffectedTask {
  TaskName name;
  std::optional<std::uint64_t> since_nsec;  // when it began to wait, nanoseconds since boot
};

// Something that is wrong, and what tells so. What is not known is absent.
struct Finding {
  FindingKind kind = FindingKind::Warning;
  Grade grade = Grade::Weak;
  // What it is about in one line, as the verdict goes on behind its title: "sysrq triggered crash".
  std::string summary;
  std::string object;                       // the lock, device or file system: "mutex lab_a [lab]"
  std::optional<std::uint32_t> cpu;         // the kernel's number
  std::optional<TaskName> task;             // that is at fault, or that it was seen in
  std::optional<std::uint64_t> since_nsec;  // when it began, nanoseconds since boot
  std::string cause;                        // what it was doing: "ph_spin+0x12 [lab] < ph_write"
  std::vector<Witness> evidence;
  std::vector<Witness> against;       // what speaks against it
  std::vector<std::string> notes;     // what else is to be known, each a sentence
  std::optional<TaskName> blocker;    // who would have to go on for it to end
  std::vector<AffectedTask> tasks;    // that wait because of it, the oldest first
  std::vector<Finding> consequences;  // what came of it, and is no cause
};

}  // namespace photon_dmesg
