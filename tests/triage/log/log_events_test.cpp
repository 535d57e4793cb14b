#include "triage/log/log_events.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "log_text.h"
#include "triage/log/faulty_function.h"

namespace photon_dmesg {
namespace {

using test::events_of_text;

TEST_CASE("log: an oops of 4.4 is one event, with where it was and what called it") {
  const std::vector<LogEvent> events = events_of_text(R"(
[  772.918915] BUG: unable to handle kernel NULL pointer dereference at           (null)
[  772.919010] IP: [<ffffffffa0002014>] lab_null+0x14/0x30 [lab]
[  772.919010] PGD 0
[  772.919010] Oops: 0002 [#1] SMP
[  772.919010] Modules linked in: lab(O) vmw_pvscsi
[  772.919010] CPU: 1 PID: 4070 Comm: my writer Tainted: G           O    4.4.121-1.ph1 #1
[  772.919010] Hardware name: VMware, Inc. VMware Virtual Platform, BIOS 6.00 09/17/2015
[  772.919010] task: ffff880066be2280 ti: ffff880066be8000 task.ti: ffff880066be8000
[  772.919010] RIP: 0010:[<ffffffffa0002014>]  [<ffffffffa0002014>] lab_null+0x14/0x30 [lab]
[  772.919010] RSP: 0018:ffff880066befc88  EFLAGS: 00010006
[  772.919010] Stack:
[  772.919010]  000000000004cfac 000000007b396287 ffff8801dab07c50 ffffffff816efb87
[  772.919010] Call Trace:
[  772.919010]  [<ffffffff812004d7>] lab_write+0x37/0x110
[  772.919010]  [<ffffffff8120048f>] ? __vfs_read+0x1f/0x20
[  772.919010]  [<ffffffff81200bb6>] vfs_write+0xa6/0x1a0
[  772.919010] Code: 00 00 00
[  772.919010] CR2: 0000000000000000
[  772.919010] ---[ end trace 0123456789abcdef ]---
)");
  REQUIRE(events.size() == 1);
  const LogEvent& event = events.front();
  CHECK(event.kind == FindingKind::Oops);
  CHECK(event.what == "NULL pointer dereference");
  CHECK(event.first.seq == 2);
  CHECK(event.last.seq == 20);
  CHECK(event.cpu == 1);
  REQUIRE(event.task);
  CHECK(event.task->pid == 4070);
  CHECK(event.task->comm == "my writer");
  CHECK(event.taint == "GO");
  CHECK(event.rip == "lab_null+0x14/0x30 [lab]");
  CHECK(event.function == "lab_null");
  REQUIRE(event.trace.size() == 3);
  CHECK(event.trace[0].symbol == "lab_write");
  CHECK(event.trace[0].offset == 0x37);
  CHECK(event.trace[0].size == 0x110);
  CHECK(event.trace[0].reliable);
  CHECK_FALSE(event.trace[1].reliable);
  CHECK(describe_cause(event) == "lab_null+0x14/0x30 [lab] < lab_write < vfs_write");
}

struct Head {
  const char* line;
  FindingKind kind;
  const char* what;
};

TEST_CASE("log: each kernel's words for an exception are known") {
  using enum FindingKind;
  const auto head = GENERATE(values<Head>({
      {"BUG: unable to handle kernel paging request at ffff88002bde1e40", Oops, "page fault"},
      {"BUG: unable to handle kernel NULL pointer dereference at 0000000000000008", Oops,
       "NULL pointer dereference"},
      {"BUG: kernel NULL pointer dereference, address: 0000000000000000", Oops,
       "NULL pointer dereference"},
      {"BUG: unable to handle page fault for address: ffffc90000000000", Oops, "page fault"},
      {"general protection fault: 0000 [#1] SMP", Oops, "general protection fault"},
      {"general protection fault, probably for non-canonical address 0xdead000000000100: 0000 "
       "[#1] PREEMPT SMP PTI",
       Oops, "general protection fault"},
      {"Oops: general protection fault, probably for non-canonical address 0xdead000000000100: "
       "0000 [#1] SMP NOPTI",
       Oops, "general protection fault"},
      {"Oops: Oops: 0002 [#1] SMP NOPTI", Oops, "Oops"},
      {"divide error: 0000 [#1] SMP", Oops, "divide error"},
      {"Oops: divide error: 0000 [#1] SMP", Oops, "divide error"},
      {"kernel BUG at mm/slub.c:3897!", Oops, "BUG()"},
      {"PANIC: double fault, error_code: 0x0", Oops, "double fault"},
      {"BUG: stack guard page was hit at ffffc900190cfff8 (stack is ffff..ffff)", Oops,
       "kernel stack overflow"},
      {"BUG: TASK stack guard page was hit at ffffc900190cfff8 (stack is ffff..ffff)", Oops,
       "kernel stack overflow"},
      {"list_del corruption. prev->next should be ffff888012345678, but was dead", MemoryCorruption,
       "corrupted list"},
      {"refcount_t: underflow; use-after-free.", RefcountError, "underflow; use-after-free."},
      {"BUG: KASAN: slab-use-after-free in foo+0x12/0x30", MemoryCorruption, "slab-use-after-free"},
      {"BUG: KFENCE: out-of-bounds write in foo+0x12/0x30", MemoryCorruption,
       "out-of-bounds write"},
      {"BUG: KMSAN: uninit-value in foo+0x12/0x30", MemoryCorruption, "uninit-value"},
      {"BUG: KCSAN: data-race in foo / bar", DataRace, "data-race"},
      {"UBSAN: array-index-out-of-bounds in drivers/net/a.c:12:3", UndefinedBehavior,
       "array-index-out-of-bounds"},
      {"BUG: sleeping function called from invalid context at mm/slab.h:494", SleepInAtomic,
       "sleeping function called"},
      {"BUG: scheduling while atomic: swapper/1/0/0x00000002", SleepInAtomic,
       "scheduling while atomic"},
      {"WARNING: possible circular locking dependency detected", LockingError,
       "possible deadlock: circular locking dependency"},
      {"[ INFO: suspicious RCU usage. ]", LockingError, "suspicious RCU usage"},
      {"BUG: spinlock bad magic on CPU#0, a/12", LockingError, "bad magic"},
      {"BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 32s!", StalledWorkers,
       "workqueue lockup"},
      {"INFO: rcu_sched self-detected stall on CPU", RcuStall, "RCU stall"},
      {"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", RcuStall, "RCU stall"},
      {"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... } 2640 jiffies "
       "s: 1341 root: 0x2/.",
       RcuStall, "expedited RCU stall"},
      {"rcu: rcu_sched kthread starved for 5002 jiffies! g4241 f0x2", RcuStall,
       "starved RCU thread"},
  }));
  CAPTURE(head.line);
  const std::vector<LogEvent> events =
      events_of_text(std::string("[    5.000000][    C1] ") + head.line + "\n");
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == head.kind);
  CHECK(events.front().what == head.what);
}

TEST_CASE("log: what precedes an exception says what it is about, and is one event with it") {
  const std::vector<LogEvent> list = events_of_text(R"(
[   50.000001][  T12] list_del corruption. prev->next should be ffff88, but was dead
[   50.000002][  T12] ------------[ cut here ]------------
[   50.000003][  T12] kernel BUG at lib/list_debug.c:53!
[   50.000004][  T12] invalid opcode: 0000 [#1] SMP
[   50.000005][  T12] CPU: 0 PID: 12 Comm: a Not tainted 5.10.0
[   50.000006][  T12] RIP: 0010:__list_del_entry_valid.cold+0x1d/0x47
[   50.000007][  T12] Call Trace:
[   50.000008][  T12]  remove_it+0x12/0x30
)");
  REQUIRE(list.size() == 1);
  CHECK(list.front().kind == FindingKind::MemoryCorruption);
  CHECK(list.front().function == "remove_it");
  CHECK(list.front().detail("location") == "lib/list_debug.c:53");

  // Until 4.14 WARN() printed its words behind its head.
  const std::vector<LogEvent> refcount = events_of_text(R"(
[   50.000002] ------------[ cut here ]------------
[   50.000003] WARNING: CPU: 0 PID: 12 at lib/refcount.c:128 refcount_sub_and_test+0x1/0x2
[   50.000004] refcount_t: underflow; use-after-free.
[   50.000005] Call Trace:
[   50.000006]  put_it+0x12/0x30
)");
  REQUIRE(refcount.size() == 1);
  CHECK(refcount.front().kind == FindingKind::RefcountError);
  CHECK(refcount.front().function == "put_it");
}

TEST_CASE("log: WARN() says where it is in each kernel's way") {
  const char* const line = GENERATE("WARNING: CPU: 1 PID: 12 at kernel/foo.c:12 foo+0x12/0x30()",
                                    "WARNING: CPU: 1 PID: 12 at kernel/foo.c:12 foo+0x12/0x30",
                                    "WARNING: kernel/foo.c:12 at foo+0x12/0x30, CPU#1: a b/12");
  CAPTURE(line);
  const std::vector<LogEvent> events = events_of_text(
      std::string(line) + "\nCPU: 1 UID: 0 PID: 12 Comm: a b Not tainted 7.2.0 #1 PREEMPT\n");
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::Warning);
  CHECK(events.front().detail("location") == "kernel/foo.c:12");
  CHECK(events.front().function == "foo");
  CHECK(events.front().cpu == 1);
  REQUIRE(events.front().task);
  CHECK(events.front().task->pid == 12);
  CHECK(events.front().task->comm == "a b");
}

TEST_CASE("log: a panic names what it came of") {
  const std::vector<LogEvent> events = events_of_text(R"(
[   50.000001] BUG: kernel NULL pointer dereference, address: 0000000000000010
[   50.000002] #PF: supervisor read access in kernel mode
[   50.000003] #PF: error_code(0x0000) - not-present page
[   50.000004] Oops: 0000 [#1] PREEMPT SMP NOPTI
[   50.000005] CPU: 0 PID: 12 Comm: a Kdump: loaded Not tainted 6.1.0
[   50.000006] RIP: 0010:strlen+0x12/0x30
[   50.000007] Call Trace:
[   50.000008]  <TASK>
[   50.000009]  fails+0x12/0x30 [lab]
[   50.000010]  </TASK>
[   50.000011] ---[ end trace 0000000000000000 ]---
[   50.100000] Kernel panic - not syncing: Fatal exception in interrupt
[   50.100001] Kernel Offset: 0x30e00000 from 0xffffffff81000000
[   50.100002] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---
)");
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == FindingKind::Oops);
  CHECK(events[0].task->comm == "a");
  CHECK(events[0].rip == "strlen+0x12/0x30");
  CHECK(events[0].function == "fails");
  CHECK(events[0].detail("address") == "0000000000000010");
  CHECK(events[1].kind == FindingKind::Panic);
  CHECK(events[1].what == "Fatal exception in interrupt");
  CHECK(events[1].origin == events[0].first.seq);
  CHECK(events[1].detail("kernel offset") == "0x30e00000");
}

TEST_CASE("log: panic() before a warning's own trace gives it that trace") {
  const std::vector<LogEvent> events = events_of_text(R"(
[   55.967976] WARNING: CPU: 1 PID: 8377 at arch/x86/kvm/x86.c:7209 kvm_run+0x1f7/0x5a00
[   56.041277] Kernel panic - not syncing: panic_on_warn set ...
[   56.048693] CPU: 1 PID: 8377 Comm: a Not tainted 4.12.0 #2
[   56.065137] Call Trace:
[   56.067707]  dump_stack+0x194/0x257
[   56.067708]  panic+0x1e4/0x41c
[   56.067709]  __warn+0x1c4/0x1e0
[   56.067710]  kvm_run+0x1f7/0x5a00
[   56.067711]  its_caller+0x12/0x30
)");
  REQUIRE(events.size() == 2);
  CHECK(events[1].origin == events[0].first.seq);
  CHECK(describe_cause(events[0]) == "kvm_run+0x1f7/0x5a00 < its_caller");
}

TEST_CASE("log: a soft lockup says which CPU, task and how long, in each kernel's words") {
  const char* const prefix = GENERATE("NMI watchdog: ", "watchdog: ", "");
  const std::vector<LogEvent> events = events_of_text(
      std::string("[   52.780635] ") + prefix +
      "BUG: soft lockup - CPU#1 stuck for 45s! [lab:spin 2:110]\n"
      "[   52.780636] CPU: 1 PID: 110 Comm: lab:spin 2 Tainted: G           OE      6.1.0\n"
      "[   52.780637] RIP: 0010:lab_spin_forever+0x7/0x10 [photon_lab]\n"
      "[   52.780638] Call Trace:\n[   52.780639]  <TASK>\n"
      "[   52.780640]  lab_spin+0x11/0x20 [photon_lab]\n");
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::SoftLockup);
  CHECK(events.front().cpu == 1);
  CHECK(events.front().detail("stuck") == "45s");
  REQUIRE(events.front().task);
  CHECK(events.front().task->pid == 110);
  CHECK(events.front().task->comm == "lab:spin 2");
  CHECK(describe_cause(events.front()) == "lab_spin_forever+0x7/0x10 [photon_lab] < lab_spin");
}

TEST_CASE("log: a hard lockup says which CPU, before or behind its words") {
  const char* const line = GENERATE("NMI watchdog: Watchdog detected hard LOCKUP on cpu 3",
                                    "watchdog: Watchdog detected hard LOCKUP on cpu 3",
                                    "watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3");
  const std::vector<LogEvent> events = events_of_text(line);
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::HardLockup);
  CHECK(events.front().cpu == 3);
}

TEST_CASE("log: a workqueue lockup says which CPU, unless its workers are bound to none") {
  const auto cpu_of = [](const std::string& pool) {
    const std::vector<LogEvent> events =
        events_of_text("BUG: workqueue lockup - pool " + pool + " nice=0 stuck for 32s!");
    REQUIRE(events.size() == 1);
    CHECK(events.front().object == "pool " + pool + " nice=0");
    return events.front().cpu;
  };
  CHECK(cpu_of("cpus=2 node=0 flags=0x0") == 2);
  CHECK_FALSE(cpu_of("cpus=0-3 flags=0x4"));
  CHECK_FALSE(cpu_of("cpus=1,3 flags=0x4"));
}

TEST_CASE("log: all blocked tasks are one event that names the first and the others") {
  std::string log;
  for (int i = 0; i < 100; ++i) {
    const std::string pid = std::to_string(100 + i);
    log += "[  242.000000] INFO: task kworker/u8:" + pid + ":" + pid +
           " blocked for more than 120 seconds.\n"
           "[  242.000001]       Not tainted 5.10.0 #1\n"
           "[  242.000002] \"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this.\n"
           "[  242.000003] task:kworker/u8:1   state:D stack:    0 pid:  100 ppid:     2\n"
           "[  242.000004] Call Trace:\n[  242.000005]  __schedule+0x282/0x870\n"
           "[  242.000006]  schedule+0x46/0xb0\n[  242.000007]  waits_here+0x12/0x30\n";
  }
  const std::vector<LogEvent> events = events_of_text(log);
  REQUIRE(events.size() == 1);
  const LogEvent& event = events.front();
  CHECK(event.kind == FindingKind::BlockedTasks);
  CHECK(event.count == 100);
  CHECK(event.task->comm == "kworker/u8:100");
  CHECK(event.task->pid == 100);
  CHECK(event.function == "waits_here");
  CHECK(event.detail("seconds") == "120");
  CHECK(event.tasks.size() == LogEvent::most_tasks);
  CHECK(event.repeats.size() == LogEvent::most_repeats);
  CHECK(event.repeats.front().seq == 9);
}

TEST_CASE("log: an RCU stall has the trace of the CPU that stalls and of no other") {
  const std::vector<LogEvent> events = events_of_text(R"(
[   28.471748][    C0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[   28.471749][    C0] rcu: 	1-...!: (1 GPs behind) idle=1ae4/1/0x4000000000000000 softirq=162/162 fqs=2
[   28.471750][    C0] rcu: 	(detected by 0, t=5250 jiffies, g=-919, q=1 ncpus=2)
[   28.471751][    C0] Sending NMI from CPU 0 to CPUs 1:
[   28.471752][    C1] NMI backtrace for cpu 1
[   28.471753][    C1] CPU: 1 PID: 110 Comm: lab-spin Tainted: G           OE      6.1.0
[   28.471754][    C1] RIP: 0010:lab_spin_forever+0x7/0x10 [photon_lab]
[   28.471755][    C1] Call Trace:
[   28.471756][    C1]  <TASK>
[   28.471757][    C1]  lab_spin+0x11/0x20 [photon_lab]
[   28.471758][    C1]  </TASK>
[   28.471759][    C0] rcu: rcu_preempt kthread starved for 5248 jiffies! g-919 f0x0 RCU_GP_WAIT_FQS(5)
[   28.471760][    C0] rcu: RCU grace-period kthread stack dump:
[   28.471761][    C0] task:rcu_preempt     state:I stack:    0 pid:   15 ppid:     2
[   28.471762][    C0] Call Trace:
[   28.471763][    C0]  schedule_timeout+0x87/0x150
[   28.471764][    C0]  rcu_gp_fqs_loop+0x10b/0x520
)");
  REQUIRE_FALSE(events.empty());
  const LogEvent& event = events.front();
  CHECK(event.kind == FindingKind::RcuStall);
  CHECK(event.cpu == 1);
  CHECK(event.task->pid == 110);
  CHECK(event.detail("jiffies") == "5250");
  CHECK(event.function == "lab_spin_forever");
  REQUIRE(event.trace.size() == 1);
  CHECK(events.size() == 1);
}

TEST_CASE("log: out of memory names who asked, who was killed and how much there was") {
  const char* const killed = GENERATE(
      "Out of memory: Kill process 143 (my agent) score 901 or sacrifice child\n"
      "[    7.300001] Killed process 143 (my agent) total-vm:441100kB, anon-rss:439424kB, "
      "file-rss:0kB",
      "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task=my agent,pid=143,uid=0\n"
      "[    7.300001] Out of memory: Killed process 143 (my agent) total-vm:441100kB, "
      "anon-rss:439424kB, UID:0");
  const std::vector<LogEvent> events = events_of_text(
      std::string("[    7.221393] asks invoked oom-killer: gfp_mask=0x140dca(GFP), order=2, "
                  "oom_score_adj=1000\n"
                  "[    7.221713] CPU: 0 PID: 77 Comm: asks Not tainted 6.12.117\n"
                  "[    7.221927] Call Trace:\n[    7.222470]  dump_stack_lvl+0x64/0x80\n"
                  "[    7.222632]  dump_header+0x43/0x1d0\n[    7.222645]  allocates+0x1/0x2\n"
                  "[    7.223237] Mem-Info:\n"
                  "[    7.223655] active_anon:111389 inactive_anon:0 isolated_anon:0\n"
                  "                free:850 free_pcp:2208 free_cma:0\n"
                  "[    7.224375] Free swap  = 0kB\n[    7.224411] 130942 pages RAM\n"
                  "[    7.300000] ") +
      killed + "\n");
  REQUIRE(events.size() == 1);
  const LogEvent& event = events.front();
  CHECK(event.kind == FindingKind::OutOfMemory);
  CHECK(event.task->pid == 77);
  CHECK(event.function == "allocates");
  CHECK(event.detail("order") == "2");
  CHECK(event.detail("victim") == "my agent:143");
  CHECK(event.detail("total-vm") == "441100kB");
  CHECK(event.detail("free pages") == "850");
  CHECK(event.detail("active_anon") == "111389");
  CHECK(event.detail("free swap") == "0kB");
  CHECK(event.detail("pages of RAM") == "130942");
}

TEST_CASE("log: programs that crash are told from the kernel") {
  const char* const line =
      GENERATE("app x[321]: segfault at 10 ip 00007f00 sp 00007fff error 4 in libc.so.6[7f+1]",
               "traps: app x[321] general protection ip:7f00 sp:7fff error:0 in libc.so.6[7f+1]",
               "traps: app x[321] trap invalid opcode ip:7f00 sp:7fff error:0 in libc.so.6[7f+1]");
  CAPTURE(line);
  const std::vector<LogEvent> events = events_of_text(line);
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::Segfault);
  REQUIRE(events.front().task);
  CHECK(events.front().task->comm == "app x");
  CHECK(events.front().task->pid == 321);
  CHECK(events.front().object == "libc.so.6");
}

TEST_CASE("log: I/O errors of a device are one event that counts what was not printed too") {
  const std::vector<LogEvent> events = events_of_text(R"(
[   10.000000] I/O error, dev sda, sector 100 op 0x0:(READ) flags 0x0
[   11.000000] I/O error, dev sda, sector 200 op 0x0:(READ) flags 0x0
[   15.000000] print_req_error: 12 callbacks suppressed
[   16.000000] I/O error, dev sdb, sector 300 op 0x1:(WRITE) flags 0x0
)");
  REQUIRE(events.size() == 2);
  CHECK(events[0].object == "sda");
  CHECK(events[0].count == 2);
  CHECK(events[0].suppressed == 12);
  CHECK(events[0].detail("sector") == "100");
  CHECK(events[0].detail("operation") == "0x0:(READ)");
  CHECK(events[1].object == "sdb");
}

TEST_CASE("log: reports of two CPUs at the same time keep apart by who called printk") {
  const std::vector<LogEvent> events = events_of_text(R"(
[   50.000001][    T1] BUG: KASAN: use-after-free in first+0x1/0x2
[   50.000002][    T2] general protection fault: 0000 [#1] SMP
[   50.000003][    T1] Read of size 8 at addr ffff888012345678 by task a/1
[   50.000004][    T2] CPU: 1 PID: 2 Comm: b Not tainted 6.1.0
[   50.000005][    T1] CPU: 0 PID: 1 Comm: a Not tainted 6.1.0
[   50.000006][    T2] RIP: 0010:second+0x12/0x30
[   50.000007][    T1] Call Trace:
[   50.000008][    T2] Call Trace:
[   50.000009][    T1]  one+0x1/0x2
[   50.000010][    T2]  two+0x1/0x2
)");
  REQUIRE(events.size() == 2);
  CHECK(events[0].what == "use-after-free read");
  CHECK(events[0].function == "first");
  CHECK(events[0].task->pid == 1);
  CHECK(events[0].trace.front().symbol == "one");
  CHECK(events[1].function == "second");
  CHECK(events[1].task->pid == 2);
  CHECK(events[1].trace.front().symbol == "two");
}

TEST_CASE("log: of two reports of the same thing the one that began first counts") {
  const std::vector<LogEvent> events = events_of_text(R"(
[   50.000001][    T1] INFO: task a:11 blocked for more than 120 seconds.
[   50.000002][    T2] INFO: task b:12 blocked for more than 120 seconds.
[   50.000003][    T2] general protection fault: 0000 [#1] SMP
[   50.000004][    T1] Call Trace:
[   50.000005][    T1]  first+0x1/0x2
)");
  REQUIRE(events.size() == 2);
  CHECK(events[0].task->comm == "a");
  CHECK(events[0].function == "first");
  CHECK(events[0].count == 2);
  REQUIRE(events[0].tasks.size() == 1);
  CHECK(events[0].tasks[0].comm == "b");
  CHECK(events[0].repeats.front().seq == 3);
}

TEST_CASE("log: what others wrote to the console before or behind a line is no part of it") {
  const std::string line = GENERATE(
      "host login: [   50.000001][    T1] BUG: Bad page state in process a  pfn:12345",
      "[   50.000001] BUG: Bad page state in process a  pfn:12345 [   50.000002] audit: type=1400",
      "Sep 23 02:31[   50.000001][ T2742] BUG: Bad page state in process a");
  CAPTURE(line);
  const std::vector<LogEvent> events = events_of_text("[   49.000000] a log with times\n" + line);
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::KernelBug);
  CHECK(events.front().first.ts_nsec == 50'000'001'000);
  CHECK(events.front().headline.find("audit") == std::string::npos);
}

TEST_CASE("log: what programs wrote is no word of the kernel's, but systemd's of itself") {
  LogEvents events;
  LogRecord record;
  record.facility = 1;
  record.text = "Kernel panic - not syncing: so says a program";
  events.add(record);
  record.seq = 1;
  record.facility = 3;
  record.text = "systemd[1]: Failed to start Network Service.";
  events.add(record);
  record.text = "systemd[1] Freezing execution: ";  // not as it writes
  events.add(record);
  const std::vector<LogEvent> found = events.finish();
  REQUIRE(found.size() == 1);
  CHECK(found.front().kind == FindingKind::FailedUnit);
  CHECK(found.front().object == "Network Service");
}

TEST_CASE("log: a record of several lines is read line by line") {
  LogEvents events;
  LogRecord record;
  record.seq = 7;
  record.caller = LogCaller{LogCaller::Kind::Task, 12};
  record.text =
      "Call Trace:\nBUG: Bad page state in process a  pfn:12345\nCall Trace:\n foo+0x1/0x2";
  events.add(record);
  const std::vector<LogEvent> found = events.finish();
  REQUIRE(found.size() == 1);
  CHECK(found.front().kind == FindingKind::KernelBug);
  CHECK(found.front().first.seq == 7);
  CHECK(found.front().function == "foo");
}

TEST_CASE("log: of a record in memory only its beginning can be a panic") {
  LogEvents events;
  LogRecord record;
  record.text = GENERATE(
      "process '/tmp/x\nKernel panic - not syncing: y' started with executable stack",
      "process '/tmp/x[   50.000001] Kernel panic - not syncing: y' started with executable stack");
  CAPTURE(record.text);
  events.add(record);
  CHECK(events.finish().empty());
  LogEvents printed(LogSource::Print);
  record.text = "host login: [   50.000001] Kernel panic - not syncing: y";
  printed.add(record);
  CHECK(printed.finish().size() == 1);
}

TEST_CASE("log: a panic is found behind each prefix that dmesg prints") {
  const char* const prefix =
      GENERATE("", "[   50.000001] ", "<0>[   50.000001] ", "kern  :emerg : [   50.000001] ",
               "[   50.000001 <    0.000003>] ", "[Sun Nov 29 01:50:12 2026] ",
               "[Sun Nov 29 01:50:12 2026 <    0.000003>] ", "[Nov29 01:50] ", "[Nov 9 01:50] ",
               "[  +0.000003] ");
  CAPTURE(prefix);
  const auto events = events_of_text(prefix + std::string("Kernel panic - not syncing: x"));
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::Panic);
  CHECK(events.front().what == "x");
}

TEST_CASE("log: a kernel that starts anew without having been told to is an event") {
  const std::string ran = "[   12.000000] a\n";
  const std::string starts = "[    0.000000] Linux version 6.1.10-1.ph5 (root@photon)\n";
  CHECK(events_of_text(starts + ran).empty());
  CHECK(events_of_text(ran + "[   13.000000] reboot: Restarting system\n" + starts).empty());
  const std::vector<LogEvent> events = events_of_text(ran + starts);
  REQUIRE(events.size() == 1);
  CHECK(events.front().kind == FindingKind::Warning);
  CHECK(events.front().what == "the kernel started anew");
  CHECK(events.front().boots_ago == 1);  // it is how that one ended
}

TEST_CASE("log: what one boot tells is apart from what the next one tells") {
  const std::string bug = "[    0.500000] BUG: Bad page state in process a  pfn:12345\n";
  const std::string panic = "[    0.600000] Kernel panic - not syncing: Fatal exception\n";
  const std::string restarts = "[    0.700000] Rebooting in 10 seconds..\n";
  const std::string starts = "[    0.000000] Linux version 6.1.10-1.ph5 (root@photon)\n";
  const std::vector<LogEvent> events =
      events_of_text(starts + bug + restarts + starts + panic + restarts + starts + bug + bug);
  REQUIRE(events.size() == 3);
  CHECK(events[0].boots_ago == 2);
  CHECK(events[0].count == 1);
  CHECK(events[1].boots_ago == 1);
  CHECK_FALSE(events[1].origin);
  CHECK(events[2].boots_ago == 0);
  CHECK(events[2].count == 2);
}

TEST_CASE("log: a report ends where the next boot begins") {
  const std::vector<LogEvent> events = events_of_text(
      "[   50.000001] Kernel panic - not syncing: x\n"
      "[    0.000000] Linux version 6.1.10-1.ph5 (root@photon)\n"
      "[    0.000001] CPU: 3 PID: 12 Comm: a Not tainted 6.1.0\n");
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == FindingKind::Panic);
  CHECK_FALSE(events[0].cpu);
}

TEST_CASE("log: of more events than are kept the earliest boots' go first") {
  std::string log;
  for (int boot = 0; boot < 3; ++boot) {
    log += "[    0.000000] Linux version 6.1.10-1.ph5 (root@photon)\n";
    for (int i = 0; i < 200; ++i) {
      log += "[    2.000000] XFS (dm-" + std::to_string(i) + "): Internal error x\n";
    }
    log += "[    3.000000] reboot: Restarting system\n";
  }
  const std::vector<LogEvent> events = events_of_text(log);
  CHECK(events.size() == 256);
  const auto of_last = std::count_if(events.begin(), events.end(),
                                     [](const LogEvent& event) { return event.boots_ago == 0; });
  CHECK(of_last == 200);
}

TEST_CASE("log: what is kept is bounded, whatever the log holds") {
  LogEvents events;
  LogRecord record;
  constexpr std::uint64_t records = 20000;
  for (; record.seq < records; ++record.seq) {
    const std::string n = std::to_string(record.seq);
    record.caller = LogCaller{LogCaller::Kind::Task, static_cast<std::uint32_t>(record.seq)};
    record.text = "BUG: KASAN: " + std::string(3000, 'x') + n + " in f" + n + "+0x1/0x2";
    if (record.seq % 2 == 0) record.text = "BUG: KASAN: kind" + n + " in f" + n + "+0x1/0x2";
    events.add(record);
  }
  const std::vector<LogEvent> found = events.finish();
  CHECK(found.size() <= 300);
  std::uint64_t count = 0;
  for (const LogEvent& event : found) {
    count += event.count;
    CHECK(event.headline.size() <= LogEvent::longest_text);
    CHECK(event.what.size() <= LogEvent::longest_text);
  }
  CHECK(count == records);
}

}  // namespace
}  // namespace photon_dmesg
