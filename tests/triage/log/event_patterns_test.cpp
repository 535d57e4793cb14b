#include "triage/log/event_patterns.h"

#include <catch2/catch.hpp>

#include "log_text.h"

namespace photon_dmesg {
namespace {

TEST_CASE("Every pattern fits the line that it describes and none before it does") {
  for (const auto* const patterns : {&kernel_patterns(), &systemd_patterns()}) {
    const PatternIndex index(*patterns);
    for (const EventPattern& pattern : *patterns) {
      const std::string line = std::string(pattern.text) + " x" + std::string(pattern.also);
      CAPTURE(line);
      const PatternMatch match = index.find(line);
      REQUIRE(match.pattern != nullptr);
      // Several rows may say the same of a line, each for lines that the other does not fit.
      CHECK(match.pattern->kind == pattern.kind);
      CHECK(match.pattern <= &pattern);
      CHECK(match.at == 0);
    }
  }
}

TEST_CASE("A pattern fits at the beginning of a word only") {
  const PatternIndex index(kernel_patterns());
  CHECK(index.find("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:1]").at == 10);
  CHECK(index.find("DEBUG: KASAN: x in y").pattern == nullptr);
  CHECK(index.find("xBUG: soft lockup - CPU#1").pattern == nullptr);
  CHECK(index.find("").pattern == nullptr);
  CHECK(index.find(std::string(4096, ' ') + "BUG: soft lockup - CPU#1").pattern == nullptr);
  // A process may be called "Kernel panic: ", and its crash is logged behind its name.
  const auto crash = index.find("Kernel panic: x[4321]: segfault at 0 ip 0");
  CHECK((crash.pattern == nullptr || crash.pattern->kind != FindingKind::Panic));
}

TEST_CASE("A panic's pattern fits at the beginning of a line only") {
  const PatternIndex index(kernel_patterns());
  CHECK(index.find("Kernel panic - not syncing: x").pattern->kind == FindingKind::Panic);
  const char* const line =
      GENERATE("process '/tmp/Kernel panic - not syncing: x' started with executable stack",
               "process '/tmp/PANIC: early exception 0x0e' started with executable stack");
  CAPTURE(line);
  CHECK(index.find(line).pattern == nullptr);
}

struct Line {
  const char* text;
  FindingKind kind;
  const char* object;
};

TEST_CASE("Each kernel's words for errors of devices and file systems are known") {
  using enum FindingKind;
  const auto line = GENERATE(values<Line>({
      // 4.4, 4.19, 5.10, 6.1.
      {"blk_update_request: I/O error, dev sda, sector 2048", IoError, "sda"},
      {"print_req_error: I/O error, dev sdb, sector 12", IoError, "sdb"},
      {"blk_update_request: I/O error, dev sda, sector 2 op 0x0:(READ) flags 0x0 phys_seg 1 prio "
       "class 0",
       IoError, "sda"},
      {"I/O error, dev nvme0n1, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2",
       IoError, "nvme0n1"},
      {"critical medium error, dev sda, sector 4 op 0x0:(READ)", IoError, "sda"},
      {"blk_update_request: critical target error, dev sdc, sector 9", IoError, "sdc"},
      {"critical space allocation error, dev dm-0, sector 9", IoError, "dm-0"},
      {"Buffer I/O error on dev dm-0, logical block 7, lost async page write", IoError, "dm-0"},
      {"Buffer I/O error on device sr0, logical block 0", IoError, "sr0"},
      {"sd 0:0:0:0: [sda] tag#3 FAILED Result: hostbyte=DID_NO_CONNECT driverbyte=DRIVER_OK",
       IoError, "sd 0:0:0:0: [sda]"},
      {"sd 2:0:1:0: rejecting I/O to offline device", ScsiAbort, "sd 2:0:1:0"},
      {"sd 2:0:1:0: Device offlined - not ready after error recovery", ScsiAbort, "sd 2:0:1:0"},
      {"vmw_pvscsi: task abort on host 0, ffff8800b9a5b180", ScsiAbort, "vmw_pvscsi"},
      {"vmw_pvscsi: SCSI Host reset", ScsiAbort, "vmw_pvscsi"},
      {"mptscsih: ioc0: attempting task abort! (sc=ffff880036b8d080)", ScsiAbort, "mptscsih: ioc0"},
      {"nvme nvme0: I/O 12 QID 3 timeout, aborting", ScsiAbort, "nvme0"},
      {"nvme nvme0: I/O tag 4 (1004) opcode 0x2 (I/O Cmd) QID 1 timeout, reset controller",
       ScsiAbort, "nvme0"},
      {"ata3.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen", ScsiAbort, "ata3.00"},
      {"EXT4-fs error (device sda3): ext4_find_entry:1455: inode #2: comm ls: reading directory",
       FileSystemError, "sda3"},
      {"EXT4-fs (sda3): Remounting filesystem read-only", ReadOnlyFileSystem, "sda3"},
      {"Aborting journal on device dm-0-8.", FileSystemError, "dm-0-8"},
      {"JBD2: Detected IO errors while flushing file data on sda1-8", FileSystemError, "sda1-8"},
      {"XFS (sda1): Metadata corruption detected at xfs_agf_read_verify+0x70/0x120 [xfs]",
       FileSystemError, "sda1"},
      {"XFS (sdb): Corruption of in-memory data (0x8) detected at xfs_trans_cancel+0x1/0x2 "
       "(fs/xfs/xfs_trans.c:1).  Shutting down filesystem.",
       FileSystemError, "sdb"},
      {"XFS (dm-2): metadata I/O error in \"xfs_trans_read_buf_map\" at daddr 0x1 len 8 error 5",
       FileSystemError, "dm-2"},
      {"BTRFS error (device sda2): parent transid verify failed on 1 wanted 2 found 3",
       FileSystemError, "sda2"},
      {"BTRFS info (device sda2: state EA): forced readonly", ReadOnlyFileSystem, "sda2"},
      {"NETDEV WATCHDOG: eth0 (vmxnet3): transmit queue 0 timed out", DeviceStuck, "eth0"},
      {"vmxnet3 0000:0b:00.0 eth0: NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out 5003 ms",
       DeviceStuck, "vmxnet3 0000:0b:00.0 eth0"},
      {"vmxnet3 0000:0b:00.0 eth0: tx hang", DeviceStuck, "vmxnet3 0000:0b:00.0 eth0"},
      {"vmxnet3 0000:0b:00.0 eth0: NIC Link is Down", LinkFlap, "vmxnet3 0000:0b:00.0 eth0"},
      {"unregister_netdevice: waiting for lo to become free. Usage count = 1", DeviceStuck, "lo"},
      {"irq 16: nobody cared (try booting with the \"irqpoll\" option)", DeviceStuck, "irq 16"},
      {"mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 1: b200", MachineCheck, ""},
      {"{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 0",
       MachineCheck, ""},
      {"EDAC MC0: 1 UE on mc#0csrow#0channel#0 (csrow:0 channel:0)", MachineCheck, ""},
      {"Uhhuh. NMI received for unknown reason 21 on CPU 0.", MachineCheck, ""},
      {"Memory failure: 0x12345: recovery action for dirty LRU page: Recovered", MachineCheck, ""},
      {"workqueue: drm_fb_helper_damage_work hogged CPU for >10000us 4 times, consider switching "
       "to WQ_UNBOUND",
       WorkqueueHog, "drm_fb_helper_damage_work"},
      {"clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable because "
       "the skew is too large:",
       ClockUnstable, "tsc"},
      {"Clocksource tsc unstable (delta = 4398046474878 ns)", ClockUnstable, "tsc"},
      {"Clock: inserting leap second 23:59:60 UTC", TimeJump, ""},
      {"sched: RT throttling activated", StarvedTasks, ""},
      {"RTNL: assertion failed at net/core/dev.c (1234)", LockingError, ""},
      {"VFS: Busy inodes after unmount of loop0. Self-destruct in 5 seconds.", FileSystemError,
       "loop0"},
      {"Eek! page_mapcount(page) went negative! (-1)", KernelBug, ""},
      {"BUG: Bad rss-counter state mm:ffff8800b9a5b180 idx:1 val:3", KernelBug, ""},
      {"kswapd0: page allocation failure: order:4, mode:0x2084020", MemoryLow, ""},
      {"kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", MemoryLeak, ""},
  }));
  CAPTURE(line.text);
  const std::vector<LogEvent> events =
      test::events_of_text(std::string("[   12.345678] ") + line.text + "\n");
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == line.kind);
  CHECK(events.front().object == line.object);
  CHECK(events.front().first.ts_nsec == 12'345'678'000);
}

TEST_CASE("What only looks like a report is none") {
  const char* const line = GENERATE(
      "Kernel command line: root=/dev/sda3 panic=5 oops=panic softlockup_panic=1",
      "Command line: BOOT_IMAGE=/boot/vmlinuz panic_on_oops=1", "sysrq: Trigger a crash",
      "Magic SysRq help : loglevel(0-9) crash(c)",
      "Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
      "INFO: lockdep is turned off.", "EDAC MC: Ver: 3.0.0", "Register oops notifier",
      "watchdog: disabled (inside virtual machine)",
      "NMI watchdog: Perf NMI watchdog permanently disabled",
      "rcu: RCU CPU stall warnings timeout set to 60 (rcu_cpu_stall_timeout).",
      "mce: CPU supports 0 MCE banks", "MCE: In-kernel MCE decoding enabled.",
      "INFO: NMI handler (perf_event_nmi_handler) took too long to run: 2.277 msecs",
      "ODEBUG: Out of memory. ODEBUG disabled",
      "WARNING: the mand mount option is being deprecated",
      "WARNING: /etc/ssh/moduli does not exist", "warning: `a' uses wireless extensions",
      "Speculative Return Stack Overflow: WARNING: kernel not compiled with CPU_SRSO.",
      "blk_update_request: I/O error, dev fd0, sector 0",
      "ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND",
      "[Firmware Bug]: TSC doesn't count with P0 frequency!",
      "pstore: Registered ramoops as persistent store backend",
      "EXT4-fs (sda3): mounted filesystem with ordered data mode. Opts: (null)",
      "EXT4-fs (sda3): recovery complete", "XFS (sda1): Ending clean mount",
      "vmxnet3 0000:0b:00.0 eth0: NIC Link is Up 10000 Mbps",
      "clocksource: Switched to clocksource tsc",
      "tsc: Marking TSC unstable due to TSCs unsynchronized",
      "audit: type=1400 audit(1.2:3): comm=\"BUG: KASAN: x in y\"",
      "piix4_smbus 0000:00:07.3: SMBus Host Controller not enabled!",
      "DEBUG: BUG: unable to handle kernel paging request", "x86/fpu: Enabled xstate features 0x7",
      "AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is not a bug.",
      "PCI: Using host bridge windows from ACPI; if necessary, use \"pci=nocrs\" and report a bug",
      "ACPI: Failed to create genetlink family for ACPI event",
      "Unstable clock detected, switching default tracing clock to \"global\"",
      "RAS: Correctable Errors collector initialized.", "tsc: Fast TSC calibration failed",
      "acpi PNP0A03:00: fail to add MMCONFIG information, can't access extended configuration "
      "space",
      "task:khungtaskd      state:S stack:0     pid:54    ppid:2      flags:0x00004000",
      "pool 2: cpus=1 node=0 flags=0x0 nice=0 hung=0s workers=3 idle: 71 17",
      "lab: module verification failed: signature and/or required key missing - tainting kernel",
      "audit_log_start: 12 callbacks suppressed");
  CAPTURE(line);
  CHECK(test::events_of_text(std::string("[    1.000000] ") + line + "\n").empty());
}

TEST_CASE("What a report has behind its beginning may be behind any of several beginnings") {
  const PatternIndex index(kernel_patterns());
  const std::string beginning = "XFS (sda1): ";
  const PatternMatch match = index.find(beginning + beginning + "metadata I/O error");
  REQUIRE(match.pattern != nullptr);
  CHECK(match.pattern->what == "XFS I/O error");
  CHECK(match.at == 0);
  std::string beginnings;
  for (int i = 0; i < 50; ++i) beginnings += beginning;
  CHECK(index.find(beginnings).pattern == nullptr);
}

}  // namespace
}  // namespace photon_dmesg
