#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "triage/finding.h"

namespace photon_dmesg::test {

// What syzkaller calls the first fault of a log, by the beginning of its title, and the kind that
// must be found. Its types are no use for that: HANG is soft lockups, hung tasks and RCU stalls,
// and titles without any type are faults too.
struct TitleKind {
  std::string_view begins;
  FindingKind kind;
};

inline constexpr std::array title_kinds = {
    // Exceptions: page faults, GPF, BUG(), and ARM's.
    TitleKind{"BUG: unable to handle kernel", FindingKind::Oops},
    TitleKind{"general protection fault", FindingKind::Oops},
    TitleKind{"divide error", FindingKind::Oops}, TitleKind{"invalid opcode", FindingKind::Oops},
    TitleKind{"stack segment fault", FindingKind::Oops}, TitleKind{"kernel BUG", FindingKind::Oops},
    TitleKind{"PANIC: double fault", FindingKind::Oops},
    TitleKind{"BUG: stack guard page was hit", FindingKind::Oops},
    TitleKind{"kernel stack overflow", FindingKind::Oops},
    TitleKind{"Internal error", FindingKind::Oops}, TitleKind{"Unhandled fault", FindingKind::Oops},
    TitleKind{"Alignment trap", FindingKind::Oops},
    TitleKind{"kernel panic: bad mode", FindingKind::Oops},  // "Bad mode in ..." is its first line
    TitleKind{"attempt to ", FindingKind::Oops},             // a panic of Rust
    TitleKind{"kernel panic: ", FindingKind::Panic},
    // Sanitizers and damaged memory.
    TitleKind{"KASAN: ", FindingKind::MemoryCorruption},
    TitleKind{"KFENCE: ", FindingKind::MemoryCorruption},
    TitleKind{"KMSAN: ", FindingKind::MemoryCorruption},
    TitleKind{"BUG: corrupted list", FindingKind::MemoryCorruption},
    TitleKind{"BUG: bad usercopy", FindingKind::MemoryCorruption},
    TitleKind{"BUG: Object already free", FindingKind::MemoryCorruption},
    TitleKind{"INFO: Allocated in ", FindingKind::MemoryCorruption},
    TitleKind{"INFO: Freed in ", FindingKind::MemoryCorruption},
    TitleKind{"KCSAN: ", FindingKind::DataRace},
    TitleKind{"UBSAN: ", FindingKind::UndefinedBehavior},
    TitleKind{"memory leak", FindingKind::MemoryLeak},
    TitleKind{"WARNING: refcount bug", FindingKind::RefcountError},
    // Hangs.
    TitleKind{"BUG: soft lockup", FindingKind::SoftLockup},
    TitleKind{"INFO: rcu detected stall", FindingKind::RcuStall},
    TitleKind{"INFO: task hung", FindingKind::BlockedTasks},
    TitleKind{"INFO: task can't die", FindingKind::BlockedTasks},
    TitleKind{"BUG: workqueue lockup", FindingKind::StalledWorkers},
    TitleKind{"unregister_netdevice", FindingKind::DeviceStuck},
    // Locks.
    TitleKind{"possible deadlock", FindingKind::LockingError},
    TitleKind{"inconsistent lock state", FindingKind::LockingError},
    TitleKind{"WARNING: suspicious RCU usage", FindingKind::LockingError},
    TitleKind{"INFO: suspicious RCU usage", FindingKind::LockingError},
    TitleKind{"WARNING: possible circular locking", FindingKind::LockingError},
    TitleKind{"WARNING: possible recursive locking", FindingKind::LockingError},
    TitleKind{"WARNING: locking bug", FindingKind::LockingError},
    TitleKind{"WARNING: bad unlock balance", FindingKind::LockingError},
    TitleKind{"BUG: bad unlock balance", FindingKind::LockingError},
    TitleKind{"WARNING: held lock freed", FindingKind::LockingError},
    TitleKind{"BUG: held lock freed", FindingKind::LockingError},
    TitleKind{"WARNING: still has locks held", FindingKind::LockingError},
    TitleKind{"BUG: still has locks held", FindingKind::LockingError},
    TitleKind{"WARNING: lock held when returning", FindingKind::LockingError},
    TitleKind{"BUG: lock held when returning", FindingKind::LockingError},
    TitleKind{"WARNING: nested lock", FindingKind::LockingError},
    TitleKind{"INFO: trying to register non-static key", FindingKind::LockingError},
    TitleKind{"BUG: spinlock", FindingKind::LockingError},
    TitleKind{"BUG: rwlock", FindingKind::LockingError},
    TitleKind{"BUG: using ", FindingKind::LockingError},
    TitleKind{"BUG: workqueue leaked", FindingKind::LockingError},
    TitleKind{"BUG: MAX_", FindingKind::LockingError},
    TitleKind{"BUG: sleeping function", FindingKind::SleepInAtomic},
    TitleKind{"BUG: scheduling while atomic", FindingKind::SleepInAtomic},
    // The rest.
    TitleKind{"VFS: Busy inodes", FindingKind::FileSystemError},
    TitleKind{"BUG: ", FindingKind::KernelBug}, TitleKind{"WARNING", FindingKind::Warning},
    TitleKind{"trusty: ", FindingKind::Warning},  // another kernel's panic, which Linux warns of
};

// Nothing where no kind must be found: titles of syzkaller's own failures, and none at all.
inline std::optional<FindingKind> kind_of_title(std::string_view title) {
  const auto* const found =
      std::find_if(title_kinds.begin(), title_kinds.end(),
                   [title](const TitleKind& entry) { return title.starts_with(entry.begins); });
  return found == title_kinds.end() ? std::nullopt : std::optional(found->kind);
}

}  // namespace photon_dmesg::test
