#include "triage/log/log_findings.h"

#include <catch2/catch.hpp>

#include "log_text.h"

namespace photon_dmesg {
namespace {

std::vector<Finding> findings_of_text(const std::string& log) {
  return findings_of(test::events_of_text(log));
}

constexpr const char* oops =
    R"([   50.000001] BUG: kernel NULL pointer dereference, address: 0000000000000010
[   50.000004] Oops: 0000 [#1] PREEMPT SMP NOPTI
[   50.000005] CPU: 1 PID: 12 Comm: a Not tainted 6.1.0
[   50.000006] RIP: 0010:fails+0x12/0x30 [lab]
[   50.000007] Call Trace:
[   50.000009]  its_caller+0x12/0x30 [lab]
[   50.000011] ---[ end trace 0000000000000000 ]---
)";

TEST_CASE("findings of a log: a panic tells its story from what it came of") {
  const std::vector<Finding> findings = findings_of_text(
      std::string(oops) + "[   50.100000] Kernel panic - not syncing: Fatal exception\n");
  REQUIRE(findings.size() == 2);
  const Finding& panic = findings[0];
  CHECK(panic.kind == FindingKind::Panic);
  CHECK(panic.grade == Grade::Certain);
  CHECK(panic.summary == "Fatal exception, after NULL pointer dereference in fails");
  CHECK(panic.cause == "fails+0x12/0x30 [lab] < its_caller");
  CHECK(panic.cpu == 1);
  REQUIRE(panic.task);
  CHECK(panic.task->pid == 12);
  CHECK(panic.since_nsec == 50'000'001'000);
  REQUIRE(panic.evidence.size() == 2);
  CHECK(panic.evidence[0].record == 1);
  CHECK(panic.evidence[1].record == 8);
  CHECK(describe(findings[1].evidence.at(1)) == "address=0000000000000010");
  CHECK(findings[1].kind == FindingKind::Oops);
}

TEST_CASE("findings of a log: what a damaged kernel reports later is a consequence") {
  const std::vector<Finding> findings = findings_of_text(
      std::string(oops) +
      "[   60.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [b:13]\n"
      "[   60.000001] CPU: 0 PID: 13 Comm: b Tainted: G      D            6.1.0\n"
      "[   70.000000] general protection fault, probably for non-canonical address 0xdead: 0000 "
      "[#2] SMP\n"
      "[   70.000001] CPU: 0 PID: 14 Comm: c Tainted: G      D      L     6.1.0\n");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == FindingKind::Oops);
  REQUIRE(findings[0].consequences.size() == 2);
  CHECK(findings[0].consequences[0].kind == FindingKind::SoftLockup);
  CHECK(findings[0].consequences[1].kind == FindingKind::Oops);
}

TEST_CASE("findings of a log: what comes after a panic is a consequence") {
  const std::vector<Finding> findings = findings_of_text(
      "[   50.100000] Kernel panic - not syncing: sysrq triggered crash\n"
      "[   51.000000] WARNING: CPU: 0 PID: 1 at arch/x86/kernel/smp.c:127 a+0x1/0x2\n");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].summary == "sysrq triggered crash");
  REQUIRE(findings[0].consequences.size() == 1);
  CHECK(findings[0].consequences[0].kind == FindingKind::Warning);
}

TEST_CASE("findings of a log: hung_task's panic is about the first task that was blocked") {
  const std::vector<Finding> findings = findings_of_text(
      "[  242.000000] INFO: task a:11 blocked for more than 120 seconds.\n"
      "[  242.000004] Call Trace:\n[  242.000005]  schedule+0x1/0x2\n[  242.000006]  "
      "waits+0x1/0x2\n"
      "[  242.000007] INFO: task b:12 blocked for more than 120 seconds.\n"
      "[  242.000008] Kernel panic - not syncing: hung_task: blocked tasks\n");
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].summary ==
        "hung_task: blocked tasks, after 2 tasks, first a (11) for more than 120 s in waits");
  CHECK(findings[1].kind == FindingKind::BlockedTasks);
  CHECK(findings[1].grade == Grade::Strong);
  CHECK(findings[1].task->pid == 11);
}

TEST_CASE("findings of a log: a panic for lack of memory says who asked for it") {
  const std::vector<Finding> findings = findings_of_text(
      "[   54.985188] app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
      "oom_score_adj=0\n"
      "[   55.054687] CPU: 1 PID: 111 Comm: app Not tainted 6.1.0 #1\n"
      "[   55.127442] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is "
      "enabled\n");
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].summary ==
        "Out of memory: system-wide panic_on_oom is enabled, after app (111) asked for memory");
  CHECK(findings[1].kind == FindingKind::OutOfMemory);
  CHECK(findings[1].summary == "of the guest, asked for by app (111)");
}

TEST_CASE("findings of a log: one I/O error is weak, several are strong") {
  const std::string error = "[   10.000000] I/O error, dev sda, sector 100 op 0x0:(READ)\n";
  const std::vector<Finding> one = findings_of_text(error);
  REQUIRE(one.size() == 1);
  CHECK(one[0].grade == Grade::Weak);
  CHECK(one[0].object == "sda");
  const std::vector<Finding> several = findings_of_text(error + error + error);
  REQUIRE(several.size() == 1);
  CHECK(several[0].grade == Grade::Strong);
  REQUIRE(several[0].evidence.size() == 5);
  CHECK(describe(several[0].evidence[1]) == "sector=100");
  CHECK(describe(several[0].evidence[4]) == "log record 3 at 10.000000: again");
}

TEST_CASE("findings of a log: the first of the verdicts comes first") {
  const std::vector<Finding> findings = findings_of_text(
      "[    1.000000] app[321]: segfault at 10 ip 00007f00 sp 00007fff error 4\n"
      "[    2.000000] EXT4-fs (sda3): Remounting filesystem read-only\n"
      "[   28.000000] rcu: INFO: rcu_preempt self-detected stall on CPU\n"
      "[   52.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 45s! [a:110]\n");
  REQUIRE(findings.size() == 4);
  CHECK(findings[0].kind == FindingKind::SoftLockup);
  CHECK(findings[1].kind == FindingKind::RcuStall);
  CHECK(findings[2].kind == FindingKind::ReadOnlyFileSystem);
  CHECK(findings[3].kind == FindingKind::Segfault);
}

TEST_CASE("findings of a log: a healthy guest's log has none") {
  CHECK(
      findings_of_text(
          R"([    0.000000] Linux version 6.1.10-1.ph5 (root@photon) (gcc (GCC) 12.2.0) #1-photon SMP
[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz-6.1.10 root=PARTUUID=1 panic=5 oops=panic
[    0.004000] tsc: Marking TSC unstable due to TSCs unsynchronized
[    0.100000] mce: CPU0: Thermal monitoring enabled
[    0.200000] rcu: RCU CPU stall warnings timeout set to 21
[    1.000000] vmw_pvscsi: using 64bit dma
[    1.500000] EXT4-fs (sda3): mounted filesystem with ordered data mode
[    2.000000] systemd[1]: Reached target Multi-User System.
[    2.100000] vmxnet3 0000:0b:00.0 eth0: NIC Link is Up 10000 Mbps
)")
          .empty());
}

}  // namespace
}  // namespace photon_dmesg
