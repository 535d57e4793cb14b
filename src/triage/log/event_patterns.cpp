#include "triage/log/event_patterns.h"

#include <algorithm>

#include "triage/log/text_scan.h"

namespace photon_dmesg {

// A new message of the kernel's is a line here. Sources: kernel/panic.c, kernel/watchdog*.c,
// kernel/hung_task.c, kernel/rcu, kernel/locking, kernel/workqueue.c, kernel/time, mm, lib, block,
// drivers/scsi, fs, net/core, arch/x86, arch/arm, arch/arm64, of Linux 4.4 to 7.x.
const std::vector<EventPattern>& kernel_patterns() {
  using Kind = FindingKind;
  using Role = LineRole;
  // clang-format off
  static const std::vector<EventPattern> patterns = {
      // Panics. Behind the beginning of a line anybody's words may stand, such as a program's path.
      {.text = "Kernel panic - not syncing: ", .kind = Kind::Panic, .what = "", .at_start = true},
      {.text = "PANIC: early exception ", .kind = Kind::Panic, .what = "early exception", .at_start = true},

      // Exceptions of the kernel's own.
      {.text = "BUG: kernel NULL pointer dereference", .kind = Kind::Oops, .what = "NULL pointer dereference", .role = Role::Exception},
      {.text = "BUG: unable to handle kernel NULL pointer dereference", .kind = Kind::Oops, .what = "NULL pointer dereference", .role = Role::Exception},
      {.text = "BUG: unable to handle ", .kind = Kind::Oops, .what = "page fault", .role = Role::Exception},
      {.text = "BUG: Kernel NULL pointer dereference", .kind = Kind::Oops, .what = "NULL pointer dereference", .role = Role::Exception},
      {.text = "BUG: Unable to handle kernel ", .kind = Kind::Oops, .what = "page fault", .role = Role::Exception},
      {.text = "Unable to handle kernel NULL pointer dereference", .kind = Kind::Oops, .what = "NULL pointer dereference", .role = Role::Exception},
      {.text = "Unable to handle kernel ", .kind = Kind::Oops, .what = "page fault", .role = Role::Exception},
      {.text = "unable to handle kernel NULL pointer dereference", .kind = Kind::Oops, .what = "NULL pointer dereference", .role = Role::Exception},
      {.text = "unable to handle kernel paging request", .kind = Kind::Oops, .what = "page fault", .role = Role::Exception},
      {.text = "kernel tried to execute NX-protected page", .kind = Kind::Oops, .what = "execution of data", .role = Role::Exception},
      {.text = "PANIC: double fault", .kind = Kind::Oops, .what = "double fault", .role = Role::Exception},
      {.text = "kernel stack overflow (", .kind = Kind::Oops, .what = "kernel stack overflow", .role = Role::Exception},
      {.text = "BUG: stack guard page was hit", .kind = Kind::Oops, .what = "kernel stack overflow"},
      {.text = "BUG: ", .kind = Kind::Oops, .what = "kernel stack overflow", .also = "stack guard page was hit"},
      {.text = "Insufficient stack space to handle exception", .kind = Kind::Oops, .what = "kernel stack overflow"},
      {.text = "kernel BUG at ", .kind = Kind::Oops, .what = "BUG()", .role = Role::Exception},
      {.text = "Kernel BUG at ", .kind = Kind::Oops, .what = "BUG()", .role = Role::Exception},
      {.text = "rust_kernel: panicked at", .kind = Kind::Oops, .what = "Rust panic"},
      {.text = "general protection fault", .kind = Kind::Oops, .what = "general protection fault", .also = "[#", .role = Role::Exception},
      // Until 4.19 the hint of KASAN's did not end its line.
      {.text = "kasan: GPF could be caused by ", .kind = Kind::Oops, .what = "general protection fault", .also = "general protection fault: ", .role = Role::Exception},
      {.text = "divide error: ", .kind = Kind::Oops, .what = "divide error", .also = "[#", .role = Role::Exception},
      {.text = "divide_error: ", .kind = Kind::Oops, .what = "divide error", .also = "[#", .role = Role::Exception},
      {.text = "invalid opcode: ", .kind = Kind::Oops, .what = "invalid opcode", .also = "[#", .role = Role::Exception},
      {.text = "double fault: ", .kind = Kind::Oops, .what = "double fault", .also = "[#", .role = Role::Exception},
      {.text = "stack segment: ", .kind = Kind::Oops, .what = "stack segment fault", .also = "[#", .role = Role::Exception},
      {.text = "segment not present: ", .kind = Kind::Oops, .what = "segment not present", .also = "[#", .role = Role::Exception},
      {.text = "invalid TSS: ", .kind = Kind::Oops, .what = "invalid TSS", .also = "[#", .role = Role::Exception},
      {.text = "alignment check: ", .kind = Kind::Oops, .what = "alignment check", .also = "[#", .role = Role::Exception},
      {.text = "bounds: ", .kind = Kind::Oops, .what = "bounds", .also = "[#", .role = Role::Exception},
      {.text = "overflow: ", .kind = Kind::Oops, .what = "overflow", .also = "[#", .role = Role::Exception},
      {.text = "int3: ", .kind = Kind::Oops, .what = "int3", .also = "[#", .role = Role::Exception},
      {.text = "simd exception: ", .kind = Kind::Oops, .what = "SIMD exception", .also = "[#", .role = Role::Exception},
      {.text = "control protection fault", .kind = Kind::Oops, .what = "control protection fault", .also = "[#", .role = Role::Exception},
      {.text = "Missing ENDBR", .kind = Kind::Oops, .what = "control protection fault"},
      {.text = "CFI failure at ", .kind = Kind::Oops, .what = "CFI failure"},
      {.text = "Alignment trap: not handling", .kind = Kind::Oops, .what = "alignment trap", .role = Role::Exception},
      {.text = "Unhandled fault: ", .kind = Kind::Oops, .what = "unhandled fault", .role = Role::Exception},
      {.text = "Unhandled prefetch abort: ", .kind = Kind::Oops, .what = "unhandled prefetch abort", .role = Role::Exception},
      {.text = "Internal error: ", .kind = Kind::Oops, .what = "internal error", .also = "[#", .role = Role::Exception},
      {.text = "Bad mode in ", .kind = Kind::Oops, .what = "bad mode", .role = Role::Exception},
      {.text = "Oops: ", .kind = Kind::Oops, .what = "Oops", .also = "[#", .role = Role::Exception},
      {.text = "Oops:", .kind = Kind::Oops, .what = "Oops", .role = Role::Exception, .at_start = true},
      {.text = "Fixing recursive fault but reboot is needed", .kind = Kind::Oops, .what = "recursive fault"},

      // What sanitizers and checks say of memory.
      {.text = "BUG: KASAN: ", .kind = Kind::MemoryCorruption, .what = ""},
      {.text = "BUG: KASan: ", .kind = Kind::MemoryCorruption, .what = ""},
      {.text = "BUG: KFENCE: ", .kind = Kind::MemoryCorruption, .what = ""},
      {.text = "BUG: KMSAN: ", .kind = Kind::MemoryCorruption, .what = ""},
      {.text = "BUG: KCSAN: ", .kind = Kind::DataRace, .what = ""},
      {.text = "BUG: memory leak", .kind = Kind::MemoryLeak, .what = "memory leak"},
      {.text = "kmemleak: ", .kind = Kind::MemoryLeak, .what = "memory leak", .also = "new suspected memory leaks"},
      {.text = "UBSAN: ", .kind = Kind::UndefinedBehavior, .what = ""},
      {.text = "list_add corruption", .kind = Kind::MemoryCorruption, .what = "corrupted list", .role = Role::Closer},
      {.text = "list_del corruption", .kind = Kind::MemoryCorruption, .what = "corrupted list", .role = Role::Closer},
      {.text = "list_add double add", .kind = Kind::MemoryCorruption, .what = "corrupted list", .role = Role::Closer},
      {.text = "usercopy: ", .kind = Kind::MemoryCorruption, .what = "bad usercopy", .also = "ernel memory ", .role = Role::Closer},
      {.text = "detected buffer overflow in ", .kind = Kind::Oops, .what = "buffer overflow", .role = Role::Closer},
      {.text = "detected buffer overflow: ", .kind = Kind::Warning, .what = "buffer overflow", .role = Role::Closer},
      {.text = "BUG ", .kind = Kind::MemoryCorruption, .what = "slab corruption", .object = object_behind, .also = "ainted", .role = Role::Part},
      {.text = "INFO: Allocated in ", .kind = Kind::MemoryCorruption, .what = "slab corruption", .role = Role::Part},
      {.text = "INFO: Freed in ", .kind = Kind::MemoryCorruption, .what = "slab corruption", .role = Role::Part},
      {.text = "INFO: Slab 0x", .kind = Kind::MemoryCorruption, .what = "slab corruption", .role = Role::Part},
      {.text = "INFO: Object 0x", .kind = Kind::MemoryCorruption, .what = "slab corruption", .role = Role::Part},
      {.text = "slab error in ", .kind = Kind::MemoryCorruption, .what = "slab corruption"},
      {.text = "Slab corruption", .kind = Kind::MemoryCorruption, .what = "slab corruption"},
      {.text = "cache_from_obj: Wrong slab cache", .kind = Kind::MemoryCorruption, .what = "wrong slab cache"},
      {.text = "refcount_t: ", .kind = Kind::RefcountError, .what = "", .role = Role::Closer},
      {.text = "percpu ref ", .kind = Kind::RefcountError, .what = "percpu ref below zero", .also = "<= 0 (", .role = Role::Closer},

      // Lockups and stalls.
      {.text = "BUG: soft lockup - CPU#", .kind = Kind::SoftLockup, .what = "soft lockup"},
      {.text = "Watchdog detected hard LOCKUP", .kind = Kind::HardLockup, .what = "hard lockup"},
      {.text = "INFO: task ", .kind = Kind::BlockedTasks, .what = "task that can't die", .also = " can't die for more than "},
      {.text = "INFO: task ", .kind = Kind::BlockedTasks, .what = "blocked task", .also = " blocked for more than "},
      {.text = "INFO: task ", .kind = Kind::BlockedTasks, .what = "task blocked in I/O", .also = " blocked in I/O wait for more than "},
      {.text = "INFO: rcu", .kind = Kind::RcuStall, .what = "RCU stall", .also = "self-detected stall"},
      {.text = "INFO: rcu", .kind = Kind::RcuStall, .what = "expedited RCU stall", .also = "detected expedited stall"},
      {.text = "INFO: rcu", .kind = Kind::RcuStall, .what = "RCU stall", .also = "detected stall"},
      {.text = "INFO: rcu", .kind = Kind::RcuStall, .what = "RCU stall", .also = "grace period stall"},
      {.text = "rcu_", .kind = Kind::RcuStall, .what = "starved RCU thread", .also = "kthread starved for ", .role = Role::Part},
      {.text = "rcu_", .kind = Kind::RcuStall, .what = "RCU thread whose timer does not fire", .also = "kthread timer wakeup didn't happen for ", .role = Role::Part},
      {.text = "BUG: workqueue lockup", .kind = Kind::StalledWorkers, .what = "workqueue lockup"},
      {.text = "workqueue: ", .kind = Kind::WorkqueueHog, .what = "work that hogs a CPU", .object = object_behind, .also = " hogged CPU for "},
      {.text = "sched: RT throttling activated", .kind = Kind::StarvedTasks, .what = "real-time tasks throttled"},

      // Sleep where none may be, and locks.
      {.text = "BUG: sleeping function called from invalid context", .kind = Kind::SleepInAtomic, .what = "sleeping function called"},
      {.text = "BUG: scheduling while atomic", .kind = Kind::SleepInAtomic, .what = "scheduling while atomic"},
      {.text = "bad: scheduling from the idle thread", .kind = Kind::SleepInAtomic, .what = "scheduling from the idle thread"},
      {.text = "possible circular locking dependency detected", .kind = Kind::LockingError, .what = "possible deadlock: circular locking dependency"},
      {.text = "possible recursive locking detected", .kind = Kind::LockingError, .what = "possible deadlock: recursive locking"},
      {.text = "possible irq lock inversion dependency detected", .kind = Kind::LockingError, .what = "possible deadlock: irq lock inversion"},
      {.text = "unsafe lock order detected", .kind = Kind::LockingError, .what = "possible deadlock: irq-unsafe lock order"},
      {.text = "inconsistent lock state", .kind = Kind::LockingError, .what = "inconsistent lock state"},
      {.text = "suspicious RCU usage", .kind = Kind::LockingError, .what = "suspicious RCU usage"},
      {.text = "bad unlock balance detected", .kind = Kind::LockingError, .what = "bad unlock balance"},
      {.text = "bad contention detected", .kind = Kind::LockingError, .what = "bad contention"},
      {.text = "held lock freed", .kind = Kind::LockingError, .what = "held lock freed"},
      {.text = "lock held when returning to user space", .kind = Kind::LockingError, .what = "lock held when returning to user space"},
      {.text = "still has locks held", .kind = Kind::LockingError, .what = "locks still held"},
      {.text = "locks still held", .kind = Kind::LockingError, .what = "locks still held", .also = "exiting"},
      {.text = "Nested lock was not taken", .kind = Kind::LockingError, .what = "nested lock not taken"},
      {.text = "Invalid wait context", .kind = Kind::LockingError, .what = "invalid wait context"},
      {.text = "lock held at task exit time", .kind = Kind::LockingError, .what = "lock held at task exit"},
      {.text = "INFO: trying to register non-static key", .kind = Kind::LockingError, .what = "non-static lock key"},
      {.text = "BUG: spinlock ", .kind = Kind::LockingError, .what = ""},
      {.text = "BUG: rwlock ", .kind = Kind::LockingError, .what = ""},
      {.text = "BUG: using ", .kind = Kind::LockingError, .what = "per-CPU data in preemptible code", .also = " in preemptible"},
      {.text = "BUG: workqueue leaked ", .kind = Kind::LockingError, .what = "workqueue leaked lock or atomic"},
      {.text = "BUG: looking up invalid subclass", .kind = Kind::LockingError, .what = "invalid lock subclass"},
      {.text = "BUG: key ", .kind = Kind::LockingError, .what = "non-static lock key"},
      {.text = "BUG: MAX_", .kind = Kind::LockingError, .what = "lockdep out of room", .also = " too low"},
      {.text = "DEBUG_LOCKS_WARN_ON(", .kind = Kind::LockingError, .what = "", .role = Role::Closer},
      {.text = "RTNL: assertion failed", .kind = Kind::LockingError, .what = "RTNL assertion failed"},
      {.text = "rtmutex deadlock detected", .kind = Kind::LockingError, .what = "rtmutex deadlock"},

      // Memory.
      {.text = "invoked oom-killer: ", .kind = Kind::OutOfMemory, .what = "out of memory"},
      {.text = "oom-kill:constraint=", .kind = Kind::OutOfMemory, .what = "out of memory", .role = Role::Part},
      {.text = "Memory cgroup out of memory: ", .kind = Kind::OutOfMemory, .what = "out of memory", .role = Role::Part},
      {.text = "Out of memory: Kill", .kind = Kind::OutOfMemory, .what = "out of memory", .role = Role::Part},
      {.text = "Out of memory (oom_kill_allocating_task): Kill", .kind = Kind::OutOfMemory, .what = "out of memory", .role = Role::Part},
      {.text = "Out of memory and no killable processes", .kind = Kind::OutOfMemory, .what = "out of memory", .role = Role::Part},
      {.text = "Killed process ", .kind = Kind::OutOfMemory, .what = "out of memory", .also = "total-vm:", .role = Role::Part},
      {.text = "page allocation failure: order:", .kind = Kind::MemoryLow, .what = "page allocation failure"},
      {.text = "page allocation stalls for ", .kind = Kind::MemoryLow, .what = "page allocation stalled"},
      {.text = "SLUB: Unable to allocate memory on node", .kind = Kind::MemoryLow, .what = "slab allocation failure"},
      {.text = "vmw_balloon: ", .kind = Kind::Balloon, .what = "", .also = "fail"},
      {.text = "vmw_balloon: ", .kind = Kind::Balloon, .what = "", .also = "error"},

      // Hardware.
      {.text = "Memory failure: 0x", .kind = Kind::MachineCheck, .what = "memory failure"},
      {.text = "Machine Check Exception: ", .kind = Kind::MachineCheck, .what = "machine check"},
      {.text = "[Hardware Error]: Machine check: ", .kind = Kind::MachineCheck, .what = "machine check"},
      {.text = "[Hardware Error]: Machine check events logged", .kind = Kind::MachineCheck, .what = "machine check"},
      {.text = "Machine check events logged", .kind = Kind::MachineCheck, .what = "machine check"},
      {.text = "Hardware error from APEI ", .kind = Kind::MachineCheck, .what = "hardware error"},
      {.text = "NMI received for unknown reason ", .kind = Kind::MachineCheck, .what = "NMI for an unknown reason"},
      {.text = "NMI: PCI system error (SERR)", .kind = Kind::MachineCheck, .what = "PCI system error"},
      {.text = "NMI: IOCK error", .kind = Kind::MachineCheck, .what = "I/O check"},
      {.text = "EDAC ", .kind = Kind::MachineCheck, .what = "uncorrected memory error", .also = " UE "},
      {.text = "EDAC ", .kind = Kind::MachineCheck, .what = "corrected memory error", .also = " CE "},
      {.text = "PCIe Bus Error: severity=Uncorrected (Fatal)", .kind = Kind::MachineCheck, .what = "PCIe error", .object = object_before},
      {.text = "PCIe Bus Error: severity=Uncorrected", .kind = Kind::MachineCheck, .what = "PCIe error", .object = object_before},
      {.text = "nobody cared", .kind = Kind::DeviceStuck, .what = "interrupt nobody cared for", .object = object_before},
      {.text = "IRQ handler type mismatch", .kind = Kind::Warning, .what = "IRQ handler type mismatch"},

      // Storage. Virtual machines have floppy drives without a floppy.
      {.text = "I/O error, dev fd", .kind = Kind::IoError, .what = "no floppy", .role = Role::Noise},
      {.text = "Buffer I/O error on dev fd", .kind = Kind::IoError, .what = "no floppy", .role = Role::Noise},
      {.text = "I/O error, dev ", .kind = Kind::IoError, .what = "I/O error", .object = object_behind},
      {.text = "medium error, dev ", .kind = Kind::IoError, .what = "medium error", .object = object_behind},
      {.text = "target error, dev ", .kind = Kind::IoError, .what = "target error", .object = object_behind},
      {.text = "space allocation error, dev ", .kind = Kind::IoError, .what = "space allocation error", .object = object_behind},
      {.text = "nexus error, dev ", .kind = Kind::IoError, .what = "nexus error", .object = object_behind},
      {.text = "transport error, dev ", .kind = Kind::IoError, .what = "transport error", .object = object_behind},
      {.text = "protection error, dev ", .kind = Kind::IoError, .what = "protection error", .object = object_behind},
      {.text = "timeout error, dev ", .kind = Kind::IoError, .what = "I/O timeout", .object = object_behind},
      {.text = "Buffer I/O error on dev ", .kind = Kind::IoError, .what = "buffer I/O error", .object = object_behind},
      {.text = "Buffer I/O error on device ", .kind = Kind::IoError, .what = "buffer I/O error", .object = object_behind},
      {.text = "lost page write due to I/O error on ", .kind = Kind::IoError, .what = "lost page write", .object = object_behind},
      {.text = "Read-error on swap-device ", .kind = Kind::IoError, .what = "read error of swap", .object = object_behind},
      {.text = "Write-error on swap-device ", .kind = Kind::IoError, .what = "write error of swap", .object = object_behind},
      {.text = "FAILED Result: ", .kind = Kind::IoError, .what = "SCSI command failed", .object = object_before},
      {.text = "rejecting I/O to offline device", .kind = Kind::ScsiAbort, .what = "device offline", .object = object_before},
      {.text = "rejecting I/O to dead device", .kind = Kind::ScsiAbort, .what = "device offline", .object = object_before},
      {.text = "Device offlined - not ready after error recovery", .kind = Kind::ScsiAbort, .what = "device taken offline", .object = object_before},
      {.text = "task abort on host ", .kind = Kind::ScsiAbort, .what = "task abort", .object = object_before},
      {.text = "task abort: ", .kind = Kind::ScsiAbort, .what = "task abort", .object = object_before, .also = "sc="},
      {.text = "Failed to abort cmd ", .kind = Kind::ScsiAbort, .what = "task abort failed", .object = object_before},
      {.text = "SCSI Host reset", .kind = Kind::ScsiAbort, .what = "host reset", .object = object_before},
      {.text = "SCSI Bus reset", .kind = Kind::ScsiAbort, .what = "bus reset", .object = object_before},
      {.text = "SCSI device reset on ", .kind = Kind::ScsiAbort, .what = "device reset", .object = object_before},
      {.text = "attempting task abort!", .kind = Kind::ScsiAbort, .what = "task abort", .object = object_before},
      {.text = "attempting target reset!", .kind = Kind::ScsiAbort, .what = "target reset", .object = object_before},
      {.text = "attempting bus reset!", .kind = Kind::ScsiAbort, .what = "bus reset", .object = object_before},
      {.text = "attempting host reset!", .kind = Kind::ScsiAbort, .what = "host reset", .object = object_before},
      {.text = "attempting device reset!", .kind = Kind::ScsiAbort, .what = "device reset", .object = object_before},
      {.text = "nvme ", .kind = Kind::ScsiAbort, .what = "NVMe timeout", .object = object_behind, .also = " timeout, "},
      {.text = "exception Emask ", .kind = Kind::ScsiAbort, .what = "ATA exception", .object = object_before},

      // File systems.
      {.text = "EXT4-fs (", .kind = Kind::ReadOnlyFileSystem, .what = "remounted read-only", .object = "(", .also = "Remounting filesystem read-only"},
      {.text = "EXT3-fs (", .kind = Kind::ReadOnlyFileSystem, .what = "remounted read-only", .object = "(", .also = "emounting filesystem read-only"},
      {.text = "EXT4-fs error (device ", .kind = Kind::FileSystemError, .what = "ext4 error", .object = "(device "},
      {.text = "EXT2-fs (", .kind = Kind::FileSystemError, .what = "ext2 error", .object = "(", .also = "): error: "},
      {.text = "EXT4-fs (", .kind = Kind::FileSystemError, .what = "ext4 error", .object = "(", .also = "error count since last fsck: "},
      {.text = "EXT4-fs (", .kind = Kind::FileSystemError, .what = "ext4 data may be lost", .object = "(", .also = "This should not happen!! Data will be lost"},
      {.text = "EXT4-fs (", .kind = Kind::FileSystemError, .what = "ext4 with errors", .object = "(", .also = "mounting fs with errors"},
      {.text = "Aborting journal on device ", .kind = Kind::FileSystemError, .what = "journal aborted", .object = object_behind},
      {.text = "JBD2: Detected IO errors", .kind = Kind::FileSystemError, .what = "journal I/O error", .object = " on "},
      {.text = "JBD2: Error ", .kind = Kind::FileSystemError, .what = "journal error", .object = " for "},
      {.text = "XFS (", .kind = Kind::FileSystemError, .what = "XFS corruption", .object = "(", .also = "orruption detected"},
      {.text = "XFS (", .kind = Kind::FileSystemError, .what = "XFS corruption", .object = "(", .also = "Corruption of in-memory data"},
      {.text = "XFS (", .kind = Kind::FileSystemError, .what = "XFS shut down", .object = "(", .also = "hutting down filesystem"},
      {.text = "XFS (", .kind = Kind::FileSystemError, .what = "XFS I/O error", .object = "(", .also = "etadata I/O "},
      {.text = "XFS (", .kind = Kind::FileSystemError, .what = "XFS I/O error", .object = "(", .also = "og I/O "},
      {.text = "XFS (", .kind = Kind::FileSystemError, .what = "XFS internal error", .object = "(", .also = "Internal error "},
      {.text = "BTRFS", .kind = Kind::ReadOnlyFileSystem, .what = "forced read-only", .object = "(device ", .also = "forced readonly"},
      {.text = "BTRFS critical (device ", .kind = Kind::FileSystemError, .what = "btrfs error", .object = "(device "},
      {.text = "BTRFS error (device ", .kind = Kind::FileSystemError, .what = "btrfs error", .object = "(device "},
      {.text = "BTRFS: error (device ", .kind = Kind::FileSystemError, .what = "btrfs error", .object = "(device "},
      {.text = "FAT-fs (", .kind = Kind::FileSystemError, .what = "FAT error", .object = "(", .also = "): error, "},
      {.text = "VFS: Busy inodes after unmount", .kind = Kind::FileSystemError, .what = "busy inodes after unmount", .object = " of "},
      {.text = "VFS: Close: file count is 0", .kind = Kind::FileSystemError, .what = "file closed twice"},

      // Network.
      {.text = "NETDEV WATCHDOG: CPU: ", .kind = Kind::DeviceStuck, .what = "transmit queue timed out", .object = object_before, .role = Role::Closer},
      {.text = "NETDEV WATCHDOG: ", .kind = Kind::DeviceStuck, .what = "transmit queue timed out", .object = object_behind, .role = Role::Closer},
      {.text = "Detected Tx Unit Hang", .kind = Kind::DeviceStuck, .what = "transmit queue hangs", .object = object_before},
      {.text = "tx hang", .kind = Kind::DeviceStuck, .what = "transmit queue hangs", .object = object_before},
      {.text = "unregister_netdevice: waiting for ", .kind = Kind::DeviceStuck, .what = "network device not released", .object = object_behind},
      {.text = "NIC Link is Down", .kind = Kind::LinkFlap, .what = "link down", .object = object_before},
      {.text = "Link is Down", .kind = Kind::LinkFlap, .what = "link down", .object = object_before},

      // Clocks.
      {.text = "Marking clocksource ", .kind = Kind::ClockUnstable, .what = "clocksource marked unstable", .object = object_behind, .also = "as unstable because the skew is too large"},
      {.text = "clocksource: timekeeping watchdog", .kind = Kind::ClockUnstable, .what = "clocksource marked unstable", .object = "'", .also = " as unstable", .at_start = true},
      {.text = "Clocksource ", .kind = Kind::ClockUnstable, .what = "clocksource marked unstable", .object = object_behind, .also = " unstable (delta"},
      {.text = "Marking TSC unstable due to clocksource watchdog", .kind = Kind::ClockUnstable, .what = "clocksource marked unstable"},
      {.text = "Clock: inserting leap second", .kind = Kind::TimeJump, .what = "leap second"},
      {.text = "Clock: deleting leap second", .kind = Kind::TimeJump, .what = "leap second"},

      // Warnings, by what they are about where the file says it.
      {.text = "WARNING: ", .kind = Kind::RefcountError, .what = "reference count", .also = " lib/refcount.c:", .role = Role::Closer},
      {.text = "WARNING: ", .kind = Kind::MemoryCorruption, .what = "corrupted list", .also = " lib/list_debug.c:", .role = Role::Closer},
      {.text = "WARNING: ", .kind = Kind::LockingError, .what = "locking bug", .also = " kernel/locking/lockdep.c:", .role = Role::Closer},
      {.text = "WARNING: lib/refcount.c:", .kind = Kind::RefcountError, .what = "reference count", .role = Role::Closer},
      {.text = "WARNING: lib/list_debug.c:", .kind = Kind::MemoryCorruption, .what = "corrupted list", .role = Role::Closer},
      {.text = "WARNING: kernel/locking/lockdep.c:", .kind = Kind::LockingError, .what = "locking bug", .role = Role::Closer},
      {.text = "WARNING: CPU: ", .kind = Kind::Warning, .what = "WARN()", .role = Role::Exception},
      {.text = "WARNING: ", .kind = Kind::Warning, .what = "WARN()", .also = ", CPU#", .role = Role::Exception},
      {.text = "WARNING: at ", .kind = Kind::Warning, .what = "WARN()", .role = Role::Exception},
      {.text = "WARNING: kernel stack ", .kind = Kind::Warning, .what = "unexpected stack"},
      {.text = "WARNING: stack recursion", .kind = Kind::Warning, .what = "stack recursion"},
      {.text = "WARNING: stack going in the wrong direction", .kind = Kind::Warning, .what = "unexpected stack"},
      {.text = "WARNING: can't access registers", .kind = Kind::Warning, .what = "unexpected stack"},
      {.text = "Badness at ", .kind = Kind::Warning, .what = "WARN()", .role = Role::Exception},

      // Programs.
      {.text = "segfault at ", .kind = Kind::Segfault, .what = "segmentation fault"},
      {.text = "general protection ", .kind = Kind::Segfault, .what = "general protection fault", .also = "ip:"},
      {.text = "trap ", .kind = Kind::Segfault, .what = "trap", .also = " ip:"},

      // Bugs of any other kind.
      {.text = "BUG: ", .kind = Kind::KernelBug, .what = "", .at_start = true},
      {.text = "Eek! page_mapcount", .kind = Kind::KernelBug, .what = "page_mapcount below zero"},
      {.text = "stack overflow: ", .kind = Kind::KernelBug, .what = "interrupt stack overflow", .also = "cur:"},
  };
  // clang-format on
  return patterns;
}

const std::vector<EventPattern>& systemd_patterns() {
  using Kind = FindingKind;
  // clang-format off
  static const std::vector<EventPattern> patterns = {
      {.text = "Failed to start ", .kind = Kind::FailedUnit, .what = "unit failed", .object = object_behind},
      {.text = "Failed to mount ", .kind = Kind::FailedUnit, .what = "mount failed", .object = object_behind},
      {.text = "Dependency failed for ", .kind = Kind::FailedUnit, .what = "dependency failed", .object = object_behind},
      {.text = "Timed out waiting for device ", .kind = Kind::FailedUnit, .what = "device missing", .object = object_behind},
      {.text = "Main process exited, code=killed", .kind = Kind::FailedUnit, .what = "service killed", .object = object_before},
      {.text = "Main process exited, code=dumped", .kind = Kind::FailedUnit, .what = "service crashed", .object = object_before},
      {.text = "Watchdog timeout (limit ", .kind = Kind::FailedUnit, .what = "service hangs", .object = object_before},
      {.text = "Freezing execution", .kind = Kind::FailedUnit, .what = "systemd stopped working"},
      {.text = "Reached target Emergency Mode", .kind = Kind::FailedUnit, .what = "emergency mode"},
      {.text = "Started Emergency Shell", .kind = Kind::FailedUnit, .what = "emergency mode"},
      {.text = "You are in emergency mode", .kind = Kind::FailedUnit, .what = "emergency mode"},
      {.text = "Time jumped backwards", .kind = Kind::TimeJump, .what = "time of day set back"},
      {.text = "Time has been changed", .kind = Kind::TimeJump, .what = "time of day set"},
  };
  // clang-format on
  return patterns;
}

namespace {

// No report begins farther behind the beginning of its line: what other programs printed before it
// on the same console is shorter.
constexpr std::size_t farthest = 256;

bool begins(const EventPattern& pattern, std::string_view line, std::size_t at) {
  return (!pattern.at_start || at == 0) && line.substr(at).starts_with(pattern.text);
}

// Whether what a pattern has behind its text at one place of a line is there. What is not there
// behind one place is not behind a later one either: that is looked for once.
class Behind {
 public:
  explicit Behind(std::string_view line) : line_(line) {}

  bool has_also(const EventPattern& pattern, std::size_t at) {
    if (pattern.also.empty()) return true;
    if (std::find(missing_.begin(), missing_.end(), &pattern) != missing_.end()) return false;
    if (line_.find(pattern.also, at + pattern.text.size()) != std::string_view::npos) return true;
    missing_.push_back(&pattern);
    return false;
  }

 private:
  std::string_view line_;
  std::vector<const EventPattern*> missing_;
};

}  // namespace

PatternIndex::PatternIndex(const std::vector<EventPattern>& patterns)
    : patterns_(patterns), by_letter_(256) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    by_letter_[static_cast<unsigned char>(patterns[i].text.front())].push_back(i);
  }
}

PatternMatch PatternIndex::find(std::string_view line) const {
  std::size_t best = patterns_.size();
  std::size_t place = 0;
  Behind behind(line);
  for (std::size_t at = 0; at < std::min(line.size(), farthest); ++at) {
    if (at != 0 && is_word(line[at - 1])) continue;
    for (const std::size_t i : by_letter_[static_cast<unsigned char>(line[at])]) {
      if (i >= best) break;
      if (!begins(patterns_[i], line, at) || !behind.has_also(patterns_[i], at)) continue;
      best = i;
      place = at;
      break;
    }
  }
  if (best == patterns_.size()) return {};
  return {.pattern = &patterns_[best], .at = place};
}

namespace {

// What a line begins with that tells of a device: "vmxnet3 0000:0b:00.0 eth0: ".
std::string_view without_colon(std::string_view text) {
  text = trimmed(text);
  while (!text.empty() && std::string_view(":(.").find(text.back()) != std::string_view::npos) {
    text = trimmed(text.substr(0, text.size() - 1));
  }
  return text;
}

}  // namespace

std::string_view object_of(const PatternMatch& match, std::string_view line) {
  const EventPattern& pattern = *match.pattern;
  const std::string_view rest = line.substr(match.at);
  if (pattern.object.empty()) return {};
  if (pattern.object == object_before) {
    const std::string_view before = line.substr(0, match.at);
    return without_colon(before.substr(0, before.find(" tag#")));  // of a SCSI command
  }
  if (pattern.object == object_behind) {
    const std::string_view name = rest.substr(pattern.text.size());
    // systemd's are sentences.
    const bool is_unit = pattern.kind == FindingKind::FailedUnit;
    return without_colon(
        until(name.starts_with('\'') ? name.substr(1) : name, is_unit ? "." : " ,'"));
  }
  return without_colon(between(rest, pattern.object, " ,)'"));
}

}  // namespace photon_dmesg
