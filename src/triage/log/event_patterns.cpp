#include "triage/log/event_patterns.h"

#include <algorithm>

#include "triage/log/text_scan.h"

namespace photon_dmesg {

// A new message of the kernel's is a line here. Sources: kernel/panic.c, kernel/watchdog*.c,
// kernel/hung_task.c, kernel/rcu, kernel/locking, kernel/workqueue.c, kernel/time, mm, lib, block,
// drivers/scsi, fs, net/core, arch/x86, arch/arm, arch/arm64, of Linux 4.4 to 7.x.
const std::vector<EventPattern>& kernel_patterns() {
  using enum FindingKind;
  using enum LineRole;
  // clang-format off
  static const std::vector<EventPattern> patterns = {
      // Panics.
      {.text = "Kernel panic - not syncing: ", .kind = Panic, .what = ""},
      {.text = "Kernel panic: ", .kind = Panic, .what = ""},
      {.text = "PANIC: early exception ", .kind = Panic, .what = "early exception"},

      // Exceptions of the kernel's own.
      {.text = "BUG: kernel NULL pointer dereference", .kind = Oops, .what = "NULL pointer dereference", .role = Exception},
      {.text = "BUG: unable to handle kernel NULL pointer dereference", .kind = Oops, .what = "NULL pointer dereference", .role = Exception},
      {.text = "BUG: unable to handle ", .kind = Oops, .what = "page fault", .role = Exception},
      {.text = "BUG: Kernel NULL pointer dereference", .kind = Oops, .what = "NULL pointer dereference", .role = Exception},
      {.text = "BUG: Unable to handle kernel ", .kind = Oops, .what = "page fault", .role = Exception},
      {.text = "Unable to handle kernel NULL pointer dereference", .kind = Oops, .what = "NULL pointer dereference", .role = Exception},
      {.text = "Unable to handle kernel ", .kind = Oops, .what = "page fault", .role = Exception},
      {.text = "unable to handle kernel NULL pointer dereference", .kind = Oops, .what = "NULL pointer dereference", .role = Exception},
      {.text = "unable to handle kernel paging request", .kind = Oops, .what = "page fault", .role = Exception},
      {.text = "kernel tried to execute NX-protected page", .kind = Oops, .what = "execution of data", .role = Exception},
      {.text = "PANIC: double fault", .kind = Oops, .what = "double fault", .role = Exception},
      {.text = "kernel stack overflow (", .kind = Oops, .what = "kernel stack overflow", .role = Exception},
      {.text = "BUG: stack guard page was hit", .kind = Oops, .what = "kernel stack overflow"},
      {.text = "BUG: ", .kind = Oops, .what = "kernel stack overflow", .also = "stack guard page was hit"},
      {.text = "Insufficient stack space to handle exception", .kind = Oops, .what = "kernel stack overflow"},
      {.text = "kernel BUG at ", .kind = Oops, .what = "BUG()", .role = Exception},
      {.text = "Kernel BUG at ", .kind = Oops, .what = "BUG()", .role = Exception},
      {.text = "rust_kernel: panicked at", .kind = Oops, .what = "Rust panic"},
      {.text = "general protection fault", .kind = Oops, .what = "general protection fault", .also = "[#", .role = Exception},
      // Until 4.19 the hint of KASAN's did not end its line.
      {.text = "kasan: GPF could be caused by ", .kind = Oops, .what = "general protection fault", .also = "general protection fault: ", .role = Exception},
      {.text = "divide error: ", .kind = Oops, .what = "divide error", .also = "[#", .role = Exception},
      {.text = "divide_error: ", .kind = Oops, .what = "divide error", .also = "[#", .role = Exception},
      {.text = "invalid opcode: ", .kind = Oops, .what = "invalid opcode", .also = "[#", .role = Exception},
      {.text = "double fault: ", .kind = Oops, .what = "double fault", .also = "[#", .role = Exception},
      {.text = "stack segment: ", .kind = Oops, .what = "stack segment fault", .also = "[#", .role = Exception},
      {.text = "segment not present: ", .kind = Oops, .what = "segment not present", .also = "[#", .role = Exception},
      {.text = "invalid TSS: ", .kind = Oops, .what = "invalid TSS", .also = "[#", .role = Exception},
      {.text = "alignment check: ", .kind = Oops, .what = "alignment check", .also = "[#", .role = Exception},
      {.text = "bounds: ", .kind = Oops, .what = "bounds", .also = "[#", .role = Exception},
      {.text = "overflow: ", .kind = Oops, .what = "overflow", .also = "[#", .role = Exception},
      {.text = "int3: ", .kind = Oops, .what = "int3", .also = "[#", .role = Exception},
      {.text = "simd exception: ", .kind = Oops, .what = "SIMD exception", .also = "[#", .role = Exception},
      {.text = "control protection fault", .kind = Oops, .what = "control protection fault", .also = "[#", .role = Exception},
      {.text = "Missing ENDBR", .kind = Oops, .what = "control protection fault"},
      {.text = "CFI failure at ", .kind = Oops, .what = "CFI failure"},
      {.text = "Alignment trap: not handling", .kind = Oops, .what = "alignment trap", .role = Exception},
      {.text = "Unhandled fault: ", .kind = Oops, .what = "unhandled fault", .role = Exception},
      {.text = "Unhandled prefetch abort: ", .kind = Oops, .what = "unhandled prefetch abort", .role = Exception},
      {.text = "Internal error: ", .kind = Oops, .what = "internal error", .also = "[#", .role = Exception},
      {.text = "Bad mode in ", .kind = Oops, .what = "bad mode", .role = Exception},
      {.text = "Oops: ", .kind = Oops, .what = "Oops", .also = "[#", .role = Exception},
      {.text = "Oops:", .kind = Oops, .what = "Oops", .role = Exception, .at_start = true},
      {.text = "Fixing recursive fault but reboot is needed", .kind = Oops, .what = "recursive fault"},

      // What sanitizers and checks say of memory.
      {.text = "BUG: KASAN: ", .kind = MemoryCorruption, .what = ""},
      {.text = "BUG: KASan: ", .kind = MemoryCorruption, .what = ""},
      {.text = "BUG: KFENCE: ", .kind = MemoryCorruption, .what = ""},
      {.text = "BUG: KMSAN: ", .kind = MemoryCorruption, .what = ""},
      {.text = "BUG: KCSAN: ", .kind = DataRace, .what = ""},
      {.text = "BUG: memory leak", .kind = MemoryLeak, .what = "memory leak"},
      {.text = "kmemleak: ", .kind = MemoryLeak, .what = "memory leak", .also = "new suspected memory leaks"},
      {.text = "UBSAN: ", .kind = UndefinedBehavior, .what = ""},
      {.text = "list_add corruption", .kind = MemoryCorruption, .what = "corrupted list", .role = Closer},
      {.text = "list_del corruption", .kind = MemoryCorruption, .what = "corrupted list", .role = Closer},
      {.text = "list_add double add", .kind = MemoryCorruption, .what = "corrupted list", .role = Closer},
      {.text = "usercopy: ", .kind = MemoryCorruption, .what = "bad usercopy", .also = "ernel memory ", .role = Closer},
      {.text = "detected buffer overflow in ", .kind = Oops, .what = "buffer overflow", .role = Closer},
      {.text = "detected buffer overflow: ", .kind = Warning, .what = "buffer overflow", .role = Closer},
      {.text = "BUG ", .kind = MemoryCorruption, .what = "slab corruption", .object = object_behind, .also = "ainted", .role = Part},
      {.text = "INFO: Allocated in ", .kind = MemoryCorruption, .what = "slab corruption", .role = Part},
      {.text = "INFO: Freed in ", .kind = MemoryCorruption, .what = "slab corruption", .role = Part},
      {.text = "INFO: Slab 0x", .kind = MemoryCorruption, .what = "slab corruption", .role = Part},
      {.text = "INFO: Object 0x", .kind = MemoryCorruption, .what = "slab corruption", .role = Part},
      {.text = "slab error in ", .kind = MemoryCorruption, .what = "slab corruption"},
      {.text = "Slab corruption", .kind = MemoryCorruption, .what = "slab corruption"},
      {.text = "cache_from_obj: Wrong slab cache", .kind = MemoryCorruption, .what = "wrong slab cache"},
      {.text = "refcount_t: ", .kind = RefcountError, .what = "", .role = Closer},
      {.text = "percpu ref ", .kind = RefcountError, .what = "percpu ref below zero", .also = "<= 0 (", .role = Closer},

      // Lockups and stalls.
      {.text = "BUG: soft lockup - CPU#", .kind = SoftLockup, .what = "soft lockup"},
      {.text = "Watchdog detected hard LOCKUP", .kind = HardLockup, .what = "hard lockup"},
      {.text = "INFO: task ", .kind = BlockedTasks, .what = "task that can't die", .also = " can't die for more than "},
      {.text = "INFO: task ", .kind = BlockedTasks, .what = "blocked task", .also = " blocked for more than "},
      {.text = "INFO: task ", .kind = BlockedTasks, .what = "task blocked in I/O", .also = " blocked in I/O wait for more than "},
      {.text = "INFO: rcu", .kind = RcuStall, .what = "RCU stall", .also = "self-detected stall"},
      {.text = "INFO: rcu", .kind = RcuStall, .what = "expedited RCU stall", .also = "detected expedited stall"},
      {.text = "INFO: rcu", .kind = RcuStall, .what = "RCU stall", .also = "detected stall"},
      {.text = "INFO: rcu", .kind = RcuStall, .what = "RCU stall", .also = "grace period stall"},
      {.text = "rcu_", .kind = RcuStall, .what = "starved RCU thread", .also = "kthread starved for ", .role = Part},
      {.text = "rcu_", .kind = RcuStall, .what = "RCU thread whose timer does not fire", .also = "kthread timer wakeup didn't happen for ", .role = Part},
      {.text = "BUG: workqueue lockup", .kind = StalledWorkers, .what = "workqueue lockup"},
      {.text = "workqueue: ", .kind = WorkqueueHog, .what = "work that hogs a CPU", .object = object_behind, .also = " hogged CPU for "},
      {.text = "sched: RT throttling activated", .kind = StarvedTasks, .what = "real-time tasks throttled"},

      // Sleep where none may be, and locks.
      {.text = "BUG: sleeping function called from invalid context", .kind = SleepInAtomic, .what = "sleeping function called"},
      {.text = "BUG: scheduling while atomic", .kind = SleepInAtomic, .what = "scheduling while atomic"},
      {.text = "bad: scheduling from the idle thread", .kind = SleepInAtomic, .what = "scheduling from the idle thread"},
      {.text = "possible circular locking dependency detected", .kind = LockingError, .what = "possible deadlock: circular locking dependency"},
      {.text = "possible recursive locking detected", .kind = LockingError, .what = "possible deadlock: recursive locking"},
      {.text = "possible irq lock inversion dependency detected", .kind = LockingError, .what = "possible deadlock: irq lock inversion"},
      {.text = "unsafe lock order detected", .kind = LockingError, .what = "possible deadlock: irq-unsafe lock order"},
      {.text = "inconsistent lock state", .kind = LockingError, .what = "inconsistent lock state"},
      {.text = "suspicious RCU usage", .kind = LockingError, .what = "suspicious RCU usage"},
      {.text = "bad unlock balance detected", .kind = LockingError, .what = "bad unlock balance"},
      {.text = "bad contention detected", .kind = LockingError, .what = "bad contention"},
      {.text = "held lock freed", .kind = LockingError, .what = "held lock freed"},
      {.text = "lock held when returning to user space", .kind = LockingError, .what = "lock held when returning to user space"},
      {.text = "still has locks held", .kind = LockingError, .what = "locks still held"},
      {.text = "locks still held", .kind = LockingError, .what = "locks still held", .also = "exiting"},
      {.text = "Nested lock was not taken", .kind = LockingError, .what = "nested lock not taken"},
      {.text = "Invalid wait context", .kind = LockingError, .what = "invalid wait context"},
      {.text = "lock held at task exit time", .kind = LockingError, .what = "lock held at task exit"},
      {.text = "INFO: trying to register non-static key", .kind = LockingError, .what = "non-static lock key"},
      {.text = "BUG: spinlock ", .kind = LockingError, .what = ""},
      {.text = "BUG: rwlock ", .kind = LockingError, .what = ""},
      {.text = "BUG: using ", .kind = LockingError, .what = "per-CPU data in preemptible code", .also = " in preemptible"},
      {.text = "BUG: workqueue leaked ", .kind = LockingError, .what = "workqueue leaked lock or atomic"},
      {.text = "BUG: looking up invalid subclass", .kind = LockingError, .what = "invalid lock subclass"},
      {.text = "BUG: key ", .kind = LockingError, .what = "non-static lock key"},
      {.text = "BUG: MAX_", .kind = LockingError, .what = "lockdep out of room", .also = " too low"},
      {.text = "DEBUG_LOCKS_WARN_ON(", .kind = LockingError, .what = "", .role = Closer},
      {.text = "RTNL: assertion failed", .kind = LockingError, .what = "RTNL assertion failed"},
      {.text = "rtmutex deadlock detected", .kind = LockingError, .what = "rtmutex deadlock"},

      // Memory.
      {.text = "invoked oom-killer: ", .kind = OutOfMemory, .what = "out of memory"},
      {.text = "oom-kill:constraint=", .kind = OutOfMemory, .what = "out of memory", .role = Part},
      {.text = "Memory cgroup out of memory: ", .kind = OutOfMemory, .what = "out of memory", .role = Part},
      {.text = "Out of memory: Kill", .kind = OutOfMemory, .what = "out of memory", .role = Part},
      {.text = "Out of memory (oom_kill_allocating_task): Kill", .kind = OutOfMemory, .what = "out of memory", .role = Part},
      {.text = "Out of memory and no killable processes", .kind = OutOfMemory, .what = "out of memory", .role = Part},
      {.text = "Killed process ", .kind = OutOfMemory, .what = "out of memory", .also = "total-vm:", .role = Part},
      {.text = "page allocation failure: order:", .kind = MemoryLow, .what = "page allocation failure"},
      {.text = "page allocation stalls for ", .kind = MemoryLow, .what = "page allocation stalled"},
      {.text = "SLUB: Unable to allocate memory on node", .kind = MemoryLow, .what = "slab allocation failure"},
      {.text = "vmw_balloon: ", .kind = Balloon, .what = "", .also = "fail"},
      {.text = "vmw_balloon: ", .kind = Balloon, .what = "", .also = "error"},

      // Hardware.
      {.text = "Memory failure: 0x", .kind = MachineCheck, .what = "memory failure"},
      {.text = "Machine Check Exception: ", .kind = MachineCheck, .what = "machine check"},
      {.text = "[Hardware Error]: Machine check: ", .kind = MachineCheck, .what = "machine check"},
      {.text = "[Hardware Error]: Machine check events logged", .kind = MachineCheck, .what = "machine check"},
      {.text = "Machine check events logged", .kind = MachineCheck, .what = "machine check"},
      {.text = "Hardware error from APEI ", .kind = MachineCheck, .what = "hardware error"},
      {.text = "NMI received for unknown reason ", .kind = MachineCheck, .what = "NMI for an unknown reason"},
      {.text = "NMI: PCI system error (SERR)", .kind = MachineCheck, .what = "PCI system error"},
      {.text = "NMI: IOCK error", .kind = MachineCheck, .what = "I/O check"},
      {.text = "EDAC ", .kind = MachineCheck, .what = "uncorrected memory error", .also = " UE "},
      {.text = "EDAC ", .kind = MachineCheck, .what = "corrected memory error", .also = " CE "},
      {.text = "PCIe Bus Error: severity=Uncorrected (Fatal)", .kind = MachineCheck, .what = "PCIe error", .object = object_before},
      {.text = "PCIe Bus Error: severity=Uncorrected", .kind = MachineCheck, .what = "PCIe error", .object = object_before},
      {.text = "nobody cared", .kind = DeviceStuck, .what = "interrupt nobody cared for", .object = object_before},
      {.text = "IRQ handler type mismatch", .kind = Warning, .what = "IRQ handler type mismatch"},

      // Storage. Virtual machines have floppy drives without a floppy.
      {.text = "I/O error, dev fd", .kind = IoError, .what = "no floppy", .role = Noise},
      {.text = "Buffer I/O error on dev fd", .kind = IoError, .what = "no floppy", .role = Noise},
      {.text = "I/O error, dev ", .kind = IoError, .what = "I/O error", .object = object_behind},
      {.text = "medium error, dev ", .kind = IoError, .what = "medium error", .object = object_behind},
      {.text = "target error, dev ", .kind = IoError, .what = "target error", .object = object_behind},
      {.text = "space allocation error, dev ", .kind = IoError, .what = "space allocation error", .object = object_behind},
      {.text = "nexus error, dev ", .kind = IoError, .what = "nexus error", .object = object_behind},
      {.text = "transport error, dev ", .kind = IoError, .what = "transport error", .object = object_behind},
      {.text = "protection error, dev ", .kind = IoError, .what = "protection error", .object = object_behind},
      {.text = "timeout error, dev ", .kind = IoError, .what = "I/O timeout", .object = object_behind},
      {.text = "Buffer I/O error on dev ", .kind = IoError, .what = "buffer I/O error", .object = object_behind},
      {.text = "Buffer I/O error on device ", .kind = IoError, .what = "buffer I/O error", .object = object_behind},
      {.text = "lost page write due to I/O error on ", .kind = IoError, .what = "lost page write", .object = object_behind},
      {.text = "Read-error on swap-device ", .kind = IoError, .what = "read error of swap", .object = object_behind},
      {.text = "Write-error on swap-device ", .kind = IoError, .what = "write error of swap", .object = object_behind},
      {.text = "FAILED Result: ", .kind = IoError, .what = "SCSI command failed", .object = object_before},
      {.text = "rejecting I/O to offline device", .kind = ScsiAbort, .what = "device offline", .object = object_before},
      {.text = "rejecting I/O to dead device", .kind = ScsiAbort, .what = "device offline", .object = object_before},
      {.text = "Device offlined - not ready after error recovery", .kind = ScsiAbort, .what = "device taken offline", .object = object_before},
      {.text = "task abort on host ", .kind = ScsiAbort, .what = "task abort", .object = object_before},
      {.text = "task abort: ", .kind = ScsiAbort, .what = "task abort", .object = object_before, .also = "sc="},
      {.text = "Failed to abort cmd ", .kind = ScsiAbort, .what = "task abort failed", .object = object_before},
      {.text = "SCSI Host reset", .kind = ScsiAbort, .what = "host reset", .object = object_before},
      {.text = "SCSI Bus reset", .kind = ScsiAbort, .what = "bus reset", .object = object_before},
      {.text = "SCSI device reset on ", .kind = ScsiAbort, .what = "device reset", .object = object_before},
      {.text = "attempting task abort!", .kind = ScsiAbort, .what = "task abort", .object = object_before},
      {.text = "attempting target reset!", .kind = ScsiAbort, .what = "target reset", .object = object_before},
      {.text = "attempting bus reset!", .kind = ScsiAbort, .what = "bus reset", .object = object_before},
      {.text = "attempting host reset!", .kind = ScsiAbort, .what = "host reset", .object = object_before},
      {.text = "attempting device reset!", .kind = ScsiAbort, .what = "device reset", .object = object_before},
      {.text = "nvme ", .kind = ScsiAbort, .what = "NVMe timeout", .object = object_behind, .also = " timeout, "},
      {.text = "exception Emask ", .kind = ScsiAbort, .what = "ATA exception", .object = object_before},

      // File systems.
      {.text = "EXT4-fs (", .kind = ReadOnlyFileSystem, .what = "remounted read-only", .object = "(", .also = "Remounting filesystem read-only"},
      {.text = "EXT3-fs (", .kind = ReadOnlyFileSystem, .what = "remounted read-only", .object = "(", .also = "emounting filesystem read-only"},
      {.text = "EXT4-fs error (device ", .kind = FileSystemError, .what = "ext4 error", .object = "(device "},
      {.text = "EXT2-fs (", .kind = FileSystemError, .what = "ext2 error", .object = "(", .also = "): error: "},
      {.text = "EXT4-fs (", .kind = FileSystemError, .what = "ext4 error", .object = "(", .also = "error count since last fsck: "},
      {.text = "EXT4-fs (", .kind = FileSystemError, .what = "ext4 data may be lost", .object = "(", .also = "This should not happen!! Data will be lost"},
      {.text = "EXT4-fs (", .kind = FileSystemError, .what = "ext4 with errors", .object = "(", .also = "mounting fs with errors"},
      {.text = "Aborting journal on device ", .kind = FileSystemError, .what = "journal aborted", .object = object_behind},
      {.text = "JBD2: Detected IO errors", .kind = FileSystemError, .what = "journal I/O error", .object = " on "},
      {.text = "JBD2: Error ", .kind = FileSystemError, .what = "journal error", .object = " for "},
      {.text = "XFS (", .kind = FileSystemError, .what = "XFS corruption", .object = "(", .also = "orruption detected"},
      {.text = "XFS (", .kind = FileSystemError, .what = "XFS corruption", .object = "(", .also = "Corruption of in-memory data"},
      {.text = "XFS (", .kind = FileSystemError, .what = "XFS shut down", .object = "(", .also = "hutting down filesystem"},
      {.text = "XFS (", .kind = FileSystemError, .what = "XFS I/O error", .object = "(", .also = "etadata I/O "},
      {.text = "XFS (", .kind = FileSystemError, .what = "XFS I/O error", .object = "(", .also = "og I/O "},
      {.text = "XFS (", .kind = FileSystemError, .what = "XFS internal error", .object = "(", .also = "Internal error "},
      {.text = "BTRFS", .kind = ReadOnlyFileSystem, .what = "forced read-only", .object = "(device ", .also = "forced readonly"},
      {.text = "BTRFS critical (device ", .kind = FileSystemError, .what = "btrfs error", .object = "(device "},
      {.text = "BTRFS error (device ", .kind = FileSystemError, .what = "btrfs error", .object = "(device "},
      {.text = "BTRFS: error (device ", .kind = FileSystemError, .what = "btrfs error", .object = "(device "},
      {.text = "FAT-fs (", .kind = FileSystemError, .what = "FAT error", .object = "(", .also = "): error, "},
      {.text = "VFS: Busy inodes after unmount", .kind = FileSystemError, .what = "busy inodes after unmount", .object = " of "},
      {.text = "VFS: Close: file count is 0", .kind = FileSystemError, .what = "file closed twice"},

      // Network.
      {.text = "NETDEV WATCHDOG: CPU: ", .kind = DeviceStuck, .what = "transmit queue timed out", .object = object_before, .role = Closer},
      {.text = "NETDEV WATCHDOG: ", .kind = DeviceStuck, .what = "transmit queue timed out", .object = object_behind, .role = Closer},
      {.text = "Detected Tx Unit Hang", .kind = DeviceStuck, .what = "transmit queue hangs", .object = object_before},
      {.text = "tx hang", .kind = DeviceStuck, .what = "transmit queue hangs", .object = object_before},
      {.text = "unregister_netdevice: waiting for ", .kind = DeviceStuck, .what = "network device not released", .object = object_behind},
      {.text = "NIC Link is Down", .kind = LinkFlap, .what = "link down", .object = object_before},
      {.text = "Link is Down", .kind = LinkFlap, .what = "link down", .object = object_before},

      // Clocks.
      {.text = "Marking clocksource ", .kind = ClockUnstable, .what = "clocksource marked unstable", .object = object_behind, .also = "as unstable because the skew is too large"},
      {.text = "clocksource: timekeeping watchdog", .kind = ClockUnstable, .what = "clocksource marked unstable", .object = "'", .also = " as unstable", .at_start = true},
      {.text = "Clocksource ", .kind = ClockUnstable, .what = "clocksource marked unstable", .object = object_behind, .also = " unstable (delta"},
      {.text = "Marking TSC unstable due to clocksource watchdog", .kind = ClockUnstable, .what = "clocksource marked unstable"},
      {.text = "Clock: inserting leap second", .kind = TimeJump, .what = "leap second"},
      {.text = "Clock: deleting leap second", .kind = TimeJump, .what = "leap second"},

      // Warnings, by what they are about where the file says it.
      {.text = "WARNING: ", .kind = RefcountError, .what = "reference count", .also = " lib/refcount.c:", .role = Closer},
      {.text = "WARNING: ", .kind = MemoryCorruption, .what = "corrupted list", .also = " lib/list_debug.c:", .role = Closer},
      {.text = "WARNING: ", .kind = LockingError, .what = "locking bug", .also = " kernel/locking/lockdep.c:", .role = Closer},
      {.text = "WARNING: lib/refcount.c:", .kind = RefcountError, .what = "reference count", .role = Closer},
      {.text = "WARNING: lib/list_debug.c:", .kind = MemoryCorruption, .what = "corrupted list", .role = Closer},
      {.text = "WARNING: kernel/locking/lockdep.c:", .kind = LockingError, .what = "locking bug", .role = Closer},
      {.text = "WARNING: CPU: ", .kind = Warning, .what = "WARN()", .role = Exception},
      {.text = "WARNING: ", .kind = Warning, .what = "WARN()", .also = ", CPU#", .role = Exception},
      {.text = "WARNING: at ", .kind = Warning, .what = "WARN()", .role = Exception},
      {.text = "WARNING: kernel stack ", .kind = Warning, .what = "unexpected stack"},
      {.text = "WARNING: stack recursion", .kind = Warning, .what = "stack recursion"},
      {.text = "WARNING: stack going in the wrong direction", .kind = Warning, .what = "unexpected stack"},
      {.text = "WARNING: can't access registers", .kind = Warning, .what = "unexpected stack"},
      {.text = "Badness at ", .kind = Warning, .what = "WARN()", .role = Exception},

      // Programs.
      {.text = "segfault at ", .kind = Segfault, .what = "segmentation fault"},
      {.text = "general protection ", .kind = Segfault, .what = "general protection fault", .also = "ip:"},
      {.text = "trap ", .kind = Segfault, .what = "trap", .also = " ip:"},

      // Bugs of any other kind.
      {.text = "BUG: ", .kind = KernelBug, .what = "", .at_start = true},
      {.text = "Eek! page_mapcount", .kind = KernelBug, .what = "page_mapcount below zero"},
      {.text = "stack overflow: ", .kind = KernelBug, .what = "interrupt stack overflow", .also = "cur:"},
  };
  // clang-format on
  return patterns;
}

const std::vector<EventPattern>& systemd_patterns() {
  using enum FindingKind;
  // clang-format off
  static const std::vector<EventPattern> patterns = {
      {.text = "Failed to start ", .kind = FailedUnit, .what = "unit failed", .object = object_behind},
      {.text = "Failed to mount ", .kind = FailedUnit, .what = "mount failed", .object = object_behind},
      {.text = "Dependency failed for ", .kind = FailedUnit, .what = "dependency failed", .object = object_behind},
      {.text = "Timed out waiting for device ", .kind = FailedUnit, .what = "device missing", .object = object_behind},
      {.text = "Main process exited, code=killed", .kind = FailedUnit, .what = "service killed", .object = object_before},
      {.text = "Main process exited, code=dumped", .kind = FailedUnit, .what = "service crashed", .object = object_before},
      {.text = "Watchdog timeout (limit ", .kind = FailedUnit, .what = "service hangs", .object = object_before},
      {.text = "Freezing execution", .kind = FailedUnit, .what = "systemd stopped working"},
      {.text = "Reached target Emergency Mode", .kind = FailedUnit, .what = "emergency mode"},
      {.text = "Started Emergency Shell", .kind = FailedUnit, .what = "emergency mode"},
      {.text = "You are in emergency mode", .kind = FailedUnit, .what = "emergency mode"},
      {.text = "Time jumped backwards", .kind = TimeJump, .what = "time of day set back"},
      {.text = "Time has been changed", .kind = TimeJump, .what = "time of day set"},
  };
  // clang-format on
  return patterns;
}

namespace {

// No report begins farther behind the beginning of its line: what other programs printed before it
// on the same console is shorter.
constexpr std::size_t farthest = 256;

bool fits(const EventPattern& pattern, std::string_view line, std::size_t at) {
  if (pattern.at_start && at != 0) return false;
  const std::string_view rest = line.substr(at);
  return rest.starts_with(pattern.text) &&
         (pattern.also.empty() ||
          rest.find(pattern.also, pattern.text.size()) != std::string_view::npos);
}

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
  for (std::size_t at = 0; at < std::min(line.size(), farthest); ++at) {
    if (at != 0 && is_word(line[at - 1])) continue;
    for (const std::size_t i : by_letter_[static_cast<unsigned char>(line[at])]) {
      if (i >= best) break;
      if (!fits(patterns_[i], line, at)) continue;
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
  if (pattern.object == object_before) return without_colon(line.substr(0, match.at));
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
