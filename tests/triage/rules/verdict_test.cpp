#include "triage/rules/verdict.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/sample_facts.h"

namespace photon_dmesg {
namespace {

using namespace sample;

Reading reading(const char* name, std::uint64_t value) {
  return {name, GuestVirtual{0xffffffff82000000}, value};
}

// The first of the verdict's causes; the test ends here without one.
Finding first_of(const GuestFacts& facts) {
  const Verdict verdict = judge(facts);
  REQUIRE_FALSE(verdict.findings.empty());
  return verdict.findings.front();
}

bool has_kind(const std::vector<Finding>& findings, FindingKind kind) {
  return std::any_of(findings.begin(), findings.end(),
                     [kind](const Finding& finding) { return finding.kind == kind; });
}

// CPU 1 takes no interrupts, and spins.
void lock_up(GuestFacts& facts, std::uint64_t age) {
  facts.vcpus[1] = busy_vcpu(1, make_task(50, "sh", 'R', age), {"lab_spin", "lab_write"});
  facts.vcpus[1].takes_interrupts = false;
  facts.cpus[1].overdue_nsec = age;
}

// CPU 1 takes interrupts, and runs nothing else: its stopper waits.
void hog(GuestFacts& facts, std::uint64_t age) {
  facts.vcpus[1] = busy_vcpu(1, make_task(50, "sh", 'R', age), {"lab_spin", "lab_write"});
  Task& stopper = facts.tasks[3].task;
  stopper = make_task(21, "migration/1", 'R', age);
  stopper.cpu = 1;
}

TaskActivity blocked(std::int32_t pid, std::uint64_t age, const Waiting& waiting) {
  TaskActivity result =
      activity(make_task(pid, "sh", 'D', age), {"schedule", "__mutex_lock", "lab_mutex"});
  result.waiting = waiting;
  return result;
}

TEST_CASE("Of a healthy guest nothing is found") {
  CHECK(judge(healthy_facts()).findings.empty());
}

TEST_CASE("What only looks like a hang is none") {
  GuestFacts facts = healthy_facts();
  SECTION("a user program that loops") {
    facts.vcpus[1] = busy_vcpu(1, make_task(50, "busy", 'R', 500 * second), {});
    facts.vcpus[1].in_user_mode = true;
  }
  SECTION("a parent that waits for the child that it has made by vfork") {
    facts.tasks.push_back(activity(make_task(50, "make", 'D', 500 * second),
                                   {"schedule", "wait_for_completion_state", "kernel_clone"}));
  }
  SECTION("a thread that sleeps for a time") {
    facts.tasks.push_back(
        activity(make_task(50, "poller", 'D', 30 * second), {"schedule_timeout", "msleep"}));
  }
  SECTION("an idle kernel thread") {
    facts.tasks.push_back(
        activity(make_task(50, "kworker/0:1", 'I', 500 * second), {"schedule", "worker_thread"}));
  }
  SECTION("a task that has waited for a moment") {
    facts.tasks.push_back(
        activity(make_task(50, "cat", 'D', second), {"io_schedule", "folio_wait_bit_common"}));
  }
  SECTION("interrupts that are off in an interrupt's handler") {
    facts.vcpus[1] = busy_vcpu(1, make_task(50, "sh", 'R', second), {"timer_interrupt"});
    facts.vcpus[1].takes_interrupts = false;
  }
  SECTION("an RCU grace period that nobody holds up") {
    facts.rcu = RcuGracePeriod{reading("rcu_state.gp_seq", 5), 60 * second, second, {}, {}};
  }
  SECTION(
      "a task that was woken just now and had slept for long, as its kernel does not note when") {
    Task woken = make_task(50, "sleeper", 'R', 300 * second);
    woken.queued_nsec.reset();
    facts.tasks.push_back(activity(woken, {"schedule"}));
  }
  SECTION("a disk that is suspended and that nobody waits for") {
    Disk& disk = facts.disks.emplace_back();
    disk.name = "dm-0";
    disk.is_suspended = true;
  }
  SECTION("a file system that is frozen and that nobody waits for") {
    FileSystem& file_system = facts.file_systems.emplace_back();
    file_system.frozen = 4;
  }
  CHECK(judge(facts).findings.empty());
}

TEST_CASE("A panic is what memory and stack say, and stops the search for hangs") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 100 * second);  // the panic has stopped the others
  facts.panic.panic_cpu = reading("panic_cpu", 0);
  facts.panic.die_counter = reading("die_counter", 0);
  facts.vcpus[0] =
      busy_vcpu(0, make_task(60, "sh", 'R', 0),
                {"delay_tsc", "panic", "sysrq_handle_crash", "__handle_sysrq", "ksys_write"});
  const Verdict verdict = judge(facts);
  REQUIRE(verdict.findings.size() == 1);
  const Finding& panic = verdict.findings.front();
  CHECK(panic.kind == FindingKind::Panic);
  CHECK(panic.grade == Grade::Certain);
  CHECK(panic.cpu == 0);
  CHECK(panic.task->comm == "sh");
  CHECK(panic.cause == "sysrq_handle_crash+0x10 < __handle_sysrq < write(2)");
}

TEST_CASE("What panic() does while it waits is not what the kernel panicked of") {
  GuestFacts facts = healthy_facts();
  facts.panic.panic_cpu = reading("panic_cpu", 0);
  facts.vcpus[0] = busy_vcpu(0, make_task(60, "sh", 'R', 0),
                             {"i8042_panic_blink", "panic", "sysrq_handle_crash", "ksys_write"});
  CHECK(first_of(facts).cause == "sysrq_handle_crash+0x10 < write(2)");
}

TEST_CASE("A trace that ends before panic() does not tell what the kernel panicked of") {
  GuestFacts facts = healthy_facts();
  facts.panic.panic_cpu = reading("panic_cpu", 0);
  facts.vcpus[0] = busy_vcpu(0, make_task(60, "sh", 'R', 0), {"delay_tsc"});
  facts.vcpus[0].trace.end = TraceEnd::Broken;
  CHECK(first_of(facts).cause.empty());
  facts.vcpus[0].trace.end = TraceEnd::Start;
  CHECK(first_of(facts).cause == "delay_tsc+0x10");
}

TEST_CASE("A panic has one witness only where nothing else tells of it") {
  GuestFacts facts = healthy_facts();
  facts.panic.panic_cpu = reading("panic_cpu", 1);
  CHECK(first_of(facts).grade == Grade::Strong);
  SECTION("a number that is no CPU's is a damaged variable") {
    facts.panic.panic_cpu = reading("panic_cpu", 0x7fffffff);
    CHECK(judge(facts).findings.empty());
  }
  SECTION("none has") {
    facts.panic.panic_cpu = reading("panic_cpu", 0xffffffff);
    CHECK(judge(facts).findings.empty());
  }
}

TEST_CASE("Below a panic's own frames stands what it came of") {
  GuestFacts facts = healthy_facts();
  facts.panic.panic_cpu = reading("panic_cpu", 0);
  facts.vcpus[0] = busy_vcpu(
      0, make_task(60, "sh", 'R', 0),
      {"panic", "oops_end", "page_fault_oops", "asm_exc_page_fault", "lab_oops", "lab_write"});
  facts.vcpus[0].trace.frames[4].kind = FrameKind::Interrupted;
  CHECK(first_of(facts).cause == "lab_oops+0x10 < lab_write");
}

TEST_CASE("Tasks that wait for each other in a circle are a deadlock, certainly") {
  GuestFacts facts = healthy_facts();
  const Task first = make_task(50, "ab", 'D', 40 * second);
  const Task second_task = make_task(51, "ba", 'D', 39 * second);
  TaskActivity ab = activity(first, {"__mutex_lock", "lab_ab"});
  ab.waiting = waits_for(0xffffffffc0002000, second_task);
  ab.waiting->cycle = {first, second_task};
  TaskActivity ba = activity(second_task, {"__mutex_lock", "lab_ba"});
  ba.waiting = waits_for(0xffffffffc0001000, first);
  ba.waiting->cycle = {second_task, first};
  facts.tasks.push_back(ab);
  facts.tasks.push_back(ba);
  facts.tasks.push_back(blocked(52, 30 * second, waits_for(0xffffffffc0001000, first)));

  const Verdict verdict = judge(facts);
  REQUIRE(verdict.findings.size() == 1);
  const Finding& deadlock = verdict.findings.front();
  CHECK(deadlock.kind == FindingKind::Deadlock);
  CHECK(deadlock.grade == Grade::Certain);
  CHECK(deadlock.since_nsec == now - 39 * second);
  CHECK(deadlock.cause == "ab (50) in lab_ab, ba (51) in lab_ba");
  SECTION("who waits for one of them is a consequence") {
    REQUIRE(deadlock.consequences.size() == 1);
    CHECK(deadlock.consequences.front().kind == FindingKind::BlockedTasks);
    CHECK(deadlock.consequences.front().task->pid == 52);
  }
}

TEST_CASE("A CPU whose timer is long overdue is locked up") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 183 * second);
  const Finding lockup = first_of(facts);
  CHECK(lockup.kind == FindingKind::HardLockup);
  CHECK(lockup.grade == Grade::Certain);
  CHECK(lockup.cpu == 1);
  CHECK(lockup.task->comm == "sh");
  CHECK(lockup.since_nsec == now - 183 * second);
  CHECK(lockup.summary == "CPU 1 has taken no interrupt for 183.0 s: in lab_spin");
  SECTION("one that is taken off has no timer") {
    facts.cpus[1].is_online = false;
    CHECK(judge(facts).findings.empty());
  }
  SECTION("one whose timer says something else is not as certain: one of the two is damaged") {
    facts.cpus[1].timer_agrees = false;
    CHECK(first_of(facts).grade == Grade::Strong);
  }
  SECTION("one that would take interrupts is not as certain") {
    facts.vcpus[1].takes_interrupts = true;
    const Finding doubted = first_of(facts);
    CHECK(doubted.grade == Grade::Strong);
    CHECK(doubted.against.size() == 1);
    facts.cpus[1].timer_agrees = false;
    CHECK(first_of(facts).grade == Grade::Weak);
  }
}

TEST_CASE("A CPU with its interrupts off whose task's time nobody counts any more is locked up") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 60 * second);
  facts.cpus[1].timer_due.reset();
  facts.cpus[1].overdue_nsec.reset();
  const Finding lockup = first_of(facts);
  CHECK(lockup.kind == FindingKind::HardLockup);
  CHECK(lockup.grade == Grade::Strong);
  CHECK(lockup.since_nsec == now - 60 * second);
}

TEST_CASE(
    "By a clock that lags by an unknown time, a CPU's lockup is weak, and waits are shorter") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 60 * second);
  facts.cpus[1].timer_due.reset();
  facts.cpus[1].overdue_nsec.reset();
  facts.vcpus[1].task->by_task_clock = true;
  CHECK(first_of(facts).grade == Grade::Weak);
  facts.vcpus[1] = idle_vcpu(1);
  const Task owner = make_task(51, "owner", 'S', 900 * second);
  facts.tasks.push_back(blocked(50, 900 * second, waits_for(0xffffffffc0001000, owner)));
  for (TaskActivity& activity : facts.tasks) {
    activity.task.by_task_clock = true;
    activity.task.last_ran_nsec = *activity.task.last_ran_nsec - 50 * second;
  }
  CHECK(find_task_clock_lag(facts) == 53 * second);  // migration/0 had slept for three seconds
  facts.task_clock_lag_nsec = find_task_clock_lag(facts);
  CHECK(nsec_off_cpu(facts, facts.tasks.back().task) == 897 * second);
  SECTION("one that is no more than an idle guest's is none") {
    facts.tasks[2].task.last_ran_nsec = now - 5 * second;
    CHECK(find_task_clock_lag(facts) == 0);
  }
  SECTION("a time that has not come yet tells of none") {
    facts.tasks[2].task.last_ran_nsec = now << 1U;
    CHECK(find_task_clock_lag(facts) == 53 * second);
  }
  SECTION("where tasks' times are by the guest's clock there is none") {
    for (TaskActivity& activity : facts.tasks) activity.task.by_task_clock = false;
    CHECK(find_task_clock_lag(facts) == 0);
  }
}

TEST_CASE("A CPU that does not come back from the function of a timer is locked up") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 60 * second);
  facts.cpus[1].overdue_nsec.reset();
  facts.cpus[1].timer_due->value = no_timer_due;
  SECTION("the time of its task is no longer counted") {
    const Finding lockup = first_of(facts);
    CHECK(lockup.kind == FindingKind::HardLockup);
    CHECK(lockup.grade == Grade::Strong);
  }
  SECTION("an idle one, whose time nobody counts, by the timer that it serves") {
    facts.vcpus[1] = idle_vcpu(1);
    facts.vcpus[1].takes_interrupts = false;
    facts.vcpus[1].trace =
        trace_of({"lab_spin_forever", "lab_timer_spin", "hrtimer_interrupt", "default_idle"});
    facts.vcpus[1].trace.frames[3].kind = FrameKind::Interrupted;
    CHECK(judge(facts).findings.empty());
    facts.cpus[1].served_timer = reading("hrtimer.node.expires", now - 60 * second);
    facts.cpus[1].served_nsec = 60 * second;
    const Finding lockup = first_of(facts);
    CHECK(lockup.kind == FindingKind::HardLockup);
    CHECK(lockup.grade == Grade::Certain);
    CHECK(lockup.since_nsec == now - 60 * second);
    CHECK_THAT(lockup.summary, Catch::Contains(": in lab_spin_forever"));
    facts.cpus[1].served_nsec = second;
    CHECK(judge(facts).findings.empty());
  }
}

TEST_CASE("A CPU whose timer is not known need not be locked up") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 60 * second);
  facts.cpus[1].timer_due.reset();
  facts.cpus[1].overdue_nsec.reset();
  SECTION("not where it takes interrupts") {
    facts.vcpus[1].takes_interrupts = true;
  }
  SECTION("not in user mode") {
    facts.vcpus[1].in_user_mode = true;
  }
  SECTION("not the idle task, whose time nobody counts") {
    facts.vcpus[1].task->pid = 0;
  }
  SECTION("not where it is not known when that was") {
    facts.vcpus[1].task->last_ran_nsec.reset();
  }
  SECTION("not after a moment") {
    facts.vcpus[1].task->last_ran_nsec = now - second;
  }
  SECTION("not where a timer is known, and is not due") {
    facts.cpus[1].timer_due = healthy_cpu(1).timer_due;
  }
  CHECK_FALSE(has_kind(judge(facts).findings, FindingKind::HardLockup));
}

TEST_CASE("A CPU that waits for the answer of one that is locked up is its victim") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 100 * second);
  facts.vcpus[0] = busy_vcpu(0, make_task(60, "kworker/0:1", 'R', 90 * second),
                             {"smp_call_function_many_cond", "on_each_cpu_cond_mask"});
  facts.tasks[2].task = make_task(20, "migration/0", 'R', 80 * second);
  Finding logged;
  logged.kind = FindingKind::SoftLockup;
  logged.cpu = 0;
  logged.summary = "CPU 0 stuck for 22 s";
  logged.evidence.push_back({.what = "BUG: soft lockup", .record = 7});
  facts.logged.push_back(logged);

  const Verdict verdict = judge(facts);
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings.front().kind == FindingKind::HardLockup);
  CHECK(has_kind(verdict.findings.front().consequences, FindingKind::SoftLockup));
}

TEST_CASE("A CPU that another task had a moment ago is not locked up, whatever else waits") {
  GuestFacts facts = healthy_facts();
  facts.vcpus[1] = busy_vcpu(1, make_task(50, "kworker/1:2", 'R', 0),
                             {"lab_endless", "process_one_work", "worker_thread"});
  facts.tasks.push_back(
      activity(*facts.vcpus[1].task, {"lab_endless", "process_one_work", "worker_thread"}));
  facts.pools.push_back({1, GuestVirtual{0xffff888300000000}, false, 3, 40 * second});
  SECTION("nothing else has run there") {
    facts.tasks[3].task.last_ran_nsec = now - 41 * second;
    CHECK(first_of(facts).kind == FindingKind::SoftLockup);
  }
  SECTION("its stopper has, and the work is named, not the interrupt that came into it") {
    facts.tasks.back().trace = trace_of({"lapic_next_event", "sysvec_apic_timer_interrupt",
                                         "cond_resched", "lab_endless", "process_one_work"});
    facts.tasks.back().trace.frames[2].kind = FrameKind::Interrupted;
    facts.vcpus[1].takes_interrupts = false;
    const Finding stalled = first_of(facts);
    CHECK(stalled.kind == FindingKind::StalledWorkers);
    CHECK(stalled.task->pid == 50);
    CHECK(stalled.object == "lab_endless");
    CHECK(stalled.cause == "cond_resched+0x10 < lab_endless < process_one_work");
    facts.cpus[1].timer_due->value = no_timer_due;
    CHECK(first_of(facts).cause ==
          "lapic_next_event+0x10 < sysvec_apic_timer_interrupt < cond_resched < lab_endless < "
          "process_one_work");
  }
}

TEST_CASE("A CPU whose stopper starves is locked up, even if another task seems to have had it") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  Task other = make_task(51, "sleeper", 'S', second);
  other.cpu = 1;
  facts.tasks.push_back(activity(other, {"schedule"}));
  const Finding lockup = first_of(facts);
  CHECK(lockup.kind == FindingKind::SoftLockup);
  CHECK(lockup.grade == Grade::Weak);
  REQUIRE(lockup.against.size() == 1);
  CHECK(lockup.against[0].what == "sleeper (51) has had the CPU of late");
}

TEST_CASE("What a timer's interrupt does for a moment is not what a CPU is locked up in") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  facts.vcpus[1].takes_interrupts = false;
  facts.vcpus[1].task->last_ran_nsec = now - second / 250;
  const auto interrupted_by = [&](std::vector<std::string> functions) {
    const std::size_t count = functions.size();
    functions.insert(functions.end(), {"lab_spin", "lab_write"});
    facts.vcpus[1].trace = trace_of(functions);
    facts.vcpus[1].trace.frames[count].kind = FrameKind::Interrupted;
    for (std::size_t i = 0; i < count; ++i) {
      facts.vcpus[1].trace.frames[i].stack = StackKind::Irq;
    }
    return first_of(facts);
  };
  const Finding spins = interrupted_by({"lapic_next_event", "hrtimer_interrupt"});
  CHECK_THAT(spins.summary, Catch::Contains(": in lab_spin"));
  CHECK(spins.cause == "lab_spin+0x10 < lab_write");
  CHECK(spins.notes.empty());
  const Finding softirq =
      interrupted_by({"lab_timer", "run_timer_softirq", "handle_softirqs", "irq_exit_rcu"});
  CHECK_THAT(softirq.summary, Catch::Contains(": in lab_timer"));
  CHECK(softirq.notes.size() == 1);
}

TEST_CASE("An interrupt that does not end is what a CPU is locked up in, not what it came into") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  facts.vcpus[1].takes_interrupts = false;
  facts.vcpus[1].task->last_ran_nsec = now;
  SECTION("the time of its task is no longer counted") {
    facts.vcpus[1].task->last_ran_nsec = now - 60 * second;
  }
  SECTION("it serves timers: other CPUs may count the time of its task") {
    facts.cpus[1].timer_due->value = no_timer_due;
  }
  SECTION("it came into an idle task, whose time nobody counts") {
    facts.vcpus[1].task->pid = 0;
  }
  SECTION("it is an exception, which lets interrupts in") {
    facts.vcpus[1].takes_interrupts = true;
  }
  facts.vcpus[1].trace =
      trace_of({"lab_spin_forever", "lab_timer_spin", "sysvec_apic_timer_interrupt",
                "pv_native_safe_halt", "default_idle"});
  facts.vcpus[1].trace.frames[3].kind = FrameKind::Interrupted;
  for (std::size_t i = 0; i < 3; ++i) facts.vcpus[1].trace.frames[i].stack = StackKind::Irq;
  const Finding lockup = first_of(facts);
  CHECK_THAT(lockup.summary, Catch::Contains(": in lab_spin_forever"));
  CHECK_THAT(lockup.cause, Catch::StartsWith("lab_spin_forever+0x10 < lab_timer_spin"));
  CHECK(lockup.notes.size() == 1);
}

TEST_CASE("A time that has not come yet does not speak against a lockup") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  Task damaged = make_task(51, "sleeper", 'S', 0);
  damaged.cpu = 1;
  damaged.last_ran_nsec = now << 1U;
  facts.tasks.push_back(activity(damaged, {"schedule"}));
  CHECK(first_of(facts).against.empty());
}

TEST_CASE("Works wait behind a worker of their own pool, and only if it runs") {
  GuestFacts facts = healthy_facts();
  facts.tasks.push_back(activity(make_task(50, "kworker/1:0", 'R', 0),
                                 {"lab_endless", "process_one_work", "worker_thread"}));
  facts.pools.push_back({1, GuestVirtual{0xffff888300000000}, false, 3, 40 * second});
  CHECK(first_of(facts).task->pid == 50);
  SECTION("not one that sleeps") {
    facts.tasks.back().task.state = 'D';
    CHECK_FALSE(first_of(facts).task);
  }
  SECTION("not one of the other pool") {
    facts.pools.back().is_high_priority = true;
    CHECK_FALSE(first_of(facts).task);
    facts.tasks.back().task.comm = "kworker/1:0H";
    CHECK(first_of(facts).task->pid == 50);
  }
}

TEST_CASE("A worker that is at one work for long is named, if nothing worse comes of it") {
  GuestFacts facts = healthy_facts();
  facts.tasks.push_back(activity(make_task(50, "kworker/1:2", 'R', 0),
                                 {"lab_endless", "process_one_work", "worker_thread"}));
  facts.busy_workers.push_back(
      {1, GuestVirtual{0xffff888400000000}, facts.tasks.back().task.address, 40 * second});
  const Finding hog = first_of(facts);
  CHECK(hog.kind == FindingKind::WorkqueueHog);
  CHECK(hog.grade == Grade::Weak);
  CHECK(hog.summary == "kworker/1:2 (50) has taken 40.0 s of CPU 1 for one work: lab_endless");
  SECTION("not after a moment") {
    facts.busy_workers[0].nsec = second;
    CHECK(judge(facts).findings.empty());
  }
  SECTION("what the log says of the same work is evidence, what it says of another is not") {
    Finding& logged = facts.logged.emplace_back();
    logged.kind = FindingKind::WorkqueueHog;
    logged.object = "lab_endless";
    logged.evidence.push_back({.what = "hogged CPU", .record = 7});
    CHECK(first_of(facts).grade == Grade::Strong);
    facts.logged.back().object = "drm_fb_helper_damage_work";
    CHECK(first_of(facts).grade == Grade::Weak);
    CHECK(judge(facts).findings.size() == 2);
  }
  SECTION("that others wait behind it is told instead") {
    facts.pools.push_back({1, GuestVirtual{0xffff888300000000}, false, 3, 40 * second});
    const auto findings = judge(facts).findings;
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].kind == FindingKind::StalledWorkers);
  }
}

TEST_CASE("Where nobody notes how long tasks wait, a task that runs without a break tells") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  facts.vcpus[1].task->arrived_nsec = now - 60 * second;
  Task& waiting = facts.tasks[3].task;
  waiting.queued_nsec.reset();
  waiting.last_ran_nsec = now - 61 * second;
  const Finding lockup = first_of(facts);
  CHECK(lockup.kind == FindingKind::SoftLockup);
  CHECK(lockup.grade == Grade::Weak);
  CHECK(lockup.since_nsec == now - 60 * second);
  SECTION("nothing, if the other has run since") {
    waiting.last_ran_nsec = now - 30 * second;
    CHECK(judge(facts).findings.empty());
  }
  SECTION("nothing, if the other waits for another CPU") {
    waiting.cpu = 0;
    CHECK(judge(facts).findings.empty());
  }
  SECTION("nothing, if the other sleeps") {
    waiting.state = 'S';
    CHECK(judge(facts).findings.empty());
  }
  SECTION("nothing after less than ten seconds") {
    facts.vcpus[1].task->arrived_nsec = now - 9 * second;
    CHECK(judge(facts).findings.empty());
  }
}

TEST_CASE("A CPU that runs no other task is softly locked up, the surer the more tell so") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  const Finding lockup = first_of(facts);
  CHECK(lockup.kind == FindingKind::SoftLockup);
  CHECK(lockup.grade == Grade::Weak);
  CHECK(lockup.cpu == 1);
  CHECK(lockup.task->pid == 50);
  CHECK(lockup.since_nsec == now - 60 * second);
  SECTION("it began when its task got the CPU, shortly before others began to wait") {
    facts.vcpus[1].task->arrived_nsec = now - 63 * second;
    CHECK(first_of(facts).since_nsec == now - 63 * second);
  }
  SECTION("a task that had been there for long need not be what stops it") {
    facts.vcpus[1].task->arrived_nsec = now - 300 * second;
    CHECK(first_of(facts).since_nsec == now - 60 * second);
  }
  SECTION("of an idle task nothing notes when it got the CPU") {
    facts.time.now_nsec = now;
    facts.vcpus[1].task->arrived_nsec = 0;
    hog(facts, now - 5 * second);
    facts.vcpus[1].task->arrived_nsec = 0;
    CHECK(first_of(facts).since_nsec == 5 * second);
  }
  SECTION("RCU tells too, and is a consequence") {
    facts.rcu = RcuGracePeriod{reading("rcu_state.gp_seq", 5), 50 * second, second, {1}, {}};
    facts.pools.push_back({1, GuestVirtual{0xffff888300000000}, false, 6, 55 * second});
    const Verdict verdict = judge(facts);
    REQUIRE(verdict.findings.size() == 1);
    CHECK(verdict.findings.front().grade == Grade::Strong);
    CHECK(has_kind(verdict.findings.front().consequences, FindingKind::RcuStall));
    CHECK(has_kind(verdict.findings.front().consequences, FindingKind::StalledWorkers));
    CHECK(has_kind(verdict.findings.front().consequences, FindingKind::StarvedTasks));
  }
}

TEST_CASE("Who keeps a CPU in user mode starves others") {
  GuestFacts facts = healthy_facts();
  facts.vcpus[1] = busy_vcpu(1, make_task(50, "hog", 'R', second), {});
  facts.vcpus[1].in_user_mode = true;
  for (const std::int32_t pid : {51, 52}) {
    Task victim = make_task(pid, "victim", 'R', 59 * second);
    victim.cpu = 1;
    facts.tasks.push_back(activity(victim, {"schedule"}));
  }
  const Finding starved = first_of(facts);
  CHECK(starved.kind == FindingKind::StarvedTasks);
  CHECK(starved.grade == Grade::Strong);
  CHECK(starved.task->comm == "hog");
  CHECK(starved.tasks.size() == 2);
}

TEST_CASE("Tasks behind one lock are one finding, which names its owner") {
  GuestFacts facts = healthy_facts();
  const Task owner = make_task(50, "holder", 'S', 70 * second);
  facts.tasks.push_back(activity(owner, {"schedule", "lab_sleep"}));
  facts.tasks.push_back(blocked(51, 40 * second, waits_for(0xffffffffc0001000, owner)));
  facts.tasks.push_back(blocked(52, 60 * second, waits_for(0xffffffffc0001000, owner)));
  const Verdict verdict = judge(facts);
  REQUIRE(verdict.findings.size() == 1);
  const Finding& finding = verdict.findings.front();
  CHECK(finding.kind == FindingKind::BlockedTasks);
  CHECK(finding.grade == Grade::Strong);
  CHECK(finding.task->pid == 52);
  CHECK(finding.since_nsec == now - 60 * second);
  CHECK(finding.blocker->comm == "holder");
  CHECK(finding.tasks.size() == 2);
  SECTION("those behind one who is blocked himself come of that") {
    facts.tasks.push_back(
        blocked(53, 30 * second, waits_for(0xffffffffc0009000, facts.tasks.back().task)));
    const Verdict chained = judge(facts);
    REQUIRE(chained.findings.size() == 1);
    REQUIRE(chained.findings.front().consequences.size() == 1);
    CHECK(chained.findings.front().consequences.front().task->pid == 53);
  }
  SECTION("without anything that tells for how long, it is weak") {
    for (TaskActivity& activity : facts.tasks) activity.task.last_ran_nsec.reset();
    const Finding ageless = first_of(facts);
    CHECK(ageless.kind == FindingKind::BlockedTasks);
    CHECK(ageless.grade == Grade::Weak);
    CHECK_FALSE(ageless.since_nsec);
  }
}

TEST_CASE("Tasks of a container that is paused are not blocked") {
  GuestFacts facts = healthy_facts();
  Task paused = make_task(50, "server", 'D', 60 * second);
  paused.is_frozen = true;
  facts.tasks.push_back(activity(paused, {"schedule", "mutex_lock"}));
  CHECK(judge(facts).findings.empty());
  facts.tasks.back().task.is_frozen = false;
  CHECK(first_of(facts).kind == FindingKind::BlockedTasks);
}

TEST_CASE("A disk that does not answer is the cause, who waits behind it is not") {
  GuestFacts facts = healthy_facts();
  Disk& disk = facts.disks.emplace_back();
  disk.name = "sda";
  Request& request = disk.requests.emplace_back();
  request.operation = "write";
  request.sector = 4096;
  request.since_nsec = now - 41 * second;
  const Task writer = make_task(50, "dd", 'D', 40 * second);
  facts.tasks.push_back(activity(writer, {"io_schedule", "folio_wait_bit_common"}));
  facts.tasks.push_back(activity(make_task(51, "jbd2/sda-8", 'D', 41 * second),
                                 {"schedule", "jbd2_journal_commit_transaction"}));
  facts.tasks.push_back(blocked(52, 20 * second, waits_for(0xffff888400000000, writer)));
  const Verdict verdict = judge(facts);
  REQUIRE(verdict.findings.size() == 1);
  const Finding& finding = verdict.findings.front();
  CHECK(finding.kind == FindingKind::StorageStalled);
  CHECK(finding.grade == Grade::Strong);
  CHECK(finding.object == "sda");
  CHECK(finding.task->comm == "dd");
  CHECK(finding.since_nsec == now - 41 * second);
  CHECK(has_kind(finding.consequences, FindingKind::BlockedTasks));
}

TEST_CASE("A request is as old as the clock says that its times are by") {
  GuestFacts facts = healthy_facts();
  Disk& disk = facts.disks.emplace_back();
  disk.name = "sda";
  Request& request = disk.requests.emplace_back();
  request.by_monotonic = true;
  SECTION("the guest's other clock has gone ahead") {
    facts.time.monotonic_nsec = now - 41 * second;
    request.since_nsec = facts.time.monotonic_nsec - second;
    CHECK(judge(facts).findings.empty());
  }
  SECTION("or has stayed behind") {
    facts.time.monotonic_nsec = now + 41 * second;
    request.since_nsec = now;
    const Finding finding = first_of(facts);
    CHECK(finding.kind == FindingKind::StorageStalled);
    CHECK(finding.since_nsec == now - 41 * second);
  }
}

TEST_CASE("Whether a disk was asked, has not answered or was not heard is told apart") {
  GuestFacts facts = healthy_facts();
  Disk& disk = facts.disks.emplace_back();
  disk.name = "sda";
  const auto add = [&](RequestState state, std::uint64_t age_nsec) {
    Request& request = disk.requests.emplace_back();
    request.state = state;
    request.operation = "read";
    request.since_nsec = now - age_nsec;
  };
  add(RequestState::Completed, 30 * second);
  CHECK(first_of(facts).summary ==
        "a request to sda of 30.0 s ago was answered or has timed out, and is not ended");
  CHECK(first_of(facts).evidence.at(0).what == "sda, read, of 30.0 s ago, answered or timed out");
  disk.requests.clear();
  add(RequestState::Waiting, 60 * second);
  CHECK(first_of(facts).summary == "sda was not given a request for 60.0 s");
  add(RequestState::InFlight, 20 * second);
  const Finding finding = first_of(facts);
  CHECK(finding.summary == "sda has not answered for 20.0 s");
  CHECK(finding.since_nsec == now - 60 * second);
  CHECK(finding.evidence.at(1).what == "sda, read, waiting for 60.0 s");
}

TEST_CASE("A SCSI command that is given to its disk again and again is as old as the first time") {
  GuestFacts facts = healthy_facts();
  Disk& disk = facts.disks.emplace_back();
  disk.name = "sda";
  Request& request = disk.requests.emplace_back();
  request.operation = "read";
  request.since_nsec = now - 41 * second;
  request.given_nsec = now - 2 * second;
  request.scsi_tries = {.again = 3, .most = 5};
  const Finding finding = first_of(facts);
  CHECK(finding.kind == FindingKind::StorageStalled);
  CHECK(finding.object == "sda");
  CHECK(finding.since_nsec == now - 41 * second);
  const auto value_of = [&](std::string_view what) {
    const auto found = std::find_if(finding.evidence.begin(), finding.evidence.end(),
                                    [&](const Witness& each) { return each.what == what; });
    return found == finding.evidence.end() ? "" : found->value;
  };
  CHECK(value_of("scsi_cmnd.retries") == "3 of 5");
  CHECK(value_of("sda, given to the driver for the last time") == "2.0 s before the stop");
}

TEST_CASE("Tasks that wait for a frozen file system say which") {
  GuestFacts facts = healthy_facts();
  FileSystem& file_system = facts.file_systems.emplace_back();
  file_system.device = "sda1";
  file_system.type = "ext4";
  file_system.frozen = 4;
  file_system.freeze_locks = {GuestVirtual{0xffff888500000000}, GuestVirtual{0xffff888500000060}};
  file_system.freeze_lock_size = 0x60;
  TaskActivity writer =
      activity(make_task(50, "dd", 'D', 30 * second), {"percpu_rwsem_wait", "mnt_want_write"});
  writer.waiting.emplace();
  writer.waiting->wait.kind = WaitKind::PercpuRwSemaphore;
  writer.waiting->wait.object = file_system.freeze_locks.front();
  facts.tasks.push_back(writer);
  const Finding finding = first_of(facts);
  CHECK(finding.kind == FindingKind::FrozenFileSystem);
  CHECK(finding.grade == Grade::Certain);
  CHECK(finding.object == "sda1 (ext4)");
  CHECK(finding.task->comm == "dd");
  Wait& wait = facts.tasks.back().waiting->wait;
  SECTION("until 5.6 in the rw_semaphore that is a part of the lock") {
    wait.kind = WaitKind::RwSemaphore;
    wait.object = wait.object + 0x78;
    CHECK(first_of(facts).kind == FindingKind::FrozenFileSystem);
  }
  SECTION("but not in one that lies beside it, or in another kind of lock") {
    wait.kind = WaitKind::RwSemaphore;
    wait.object = file_system.freeze_locks[1] + 0x60;
    CHECK(first_of(facts).kind == FindingKind::BlockedTasks);
    wait.object = {file_system.freeze_locks[0].value - 8};
    CHECK(first_of(facts).kind == FindingKind::BlockedTasks);
    wait.kind = WaitKind::Mutex;
    wait.object = file_system.freeze_locks[0];
    CHECK(first_of(facts).kind == FindingKind::BlockedTasks);
  }
  SECTION("nor in one of a file system that is not frozen") {
    file_system.frozen = 0;
    CHECK(first_of(facts).kind == FindingKind::BlockedTasks);
  }
}

TEST_CASE("An RCU grace period that a preempted reader holds up names him") {
  GuestFacts facts = healthy_facts();
  const Task reader = make_task(50, "reader", 'S', 30 * second);
  facts.tasks.push_back(activity(reader, {"schedule", "lab_reader"}));
  facts.rcu =
      RcuGracePeriod{reading("rcu_state.gp_seq", 5), 60 * second, second, {}, {reader.address}};
  const Finding finding = first_of(facts);
  CHECK(finding.kind == FindingKind::RcuStall);
  CHECK(finding.task->comm == "reader");
}

TEST_CASE("What the log says and memory shows is one finding") {
  GuestFacts facts = healthy_facts();
  hog(facts, 60 * second);
  Finding logged;
  logged.kind = FindingKind::SoftLockup;
  logged.cpu = 1;
  logged.evidence.push_back({.what = "BUG: soft lockup", .record = 7});
  facts.logged.push_back(logged);
  const Verdict verdict = judge(facts);
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings.front().grade == Grade::Strong);
  CHECK(verdict.findings.front().evidence.back().record == 7);
}

Finding logged_of(FindingKind kind, std::uint64_t at) {
  Finding logged;
  logged.kind = kind;
  logged.grade = Grade::Strong;
  logged.since_nsec = at;
  logged.evidence.push_back({.what = "what the log says", .record = at / second, .nsec = at});
  return logged;
}

TEST_CASE("What the log says of one thing is no evidence for another that it says") {
  GuestFacts facts;  // of which nothing but the log is known
  facts.logged = {logged_of(FindingKind::SoftLockup, 100 * second),
                  logged_of(FindingKind::SoftLockup, 500 * second),
                  logged_of(FindingKind::RcuStall, 900 * second),
                  logged_of(FindingKind::ReadOnlyFileSystem, 10 * second),
                  logged_of(FindingKind::ReadOnlyFileSystem, 11 * second),
                  logged_of(FindingKind::Segfault, 12 * second),
                  logged_of(FindingKind::Segfault, 13 * second)};
  facts.logged[0].cpu = 0;
  facts.logged[1].cpu = 1;
  facts.logged[5].grade = facts.logged[6].grade = Grade::Weak;
  const std::vector<Finding> findings = judge(facts).findings;
  REQUIRE(findings.size() == facts.logged.size());
  for (std::size_t i = 0; i < findings.size(); ++i) {
    CAPTURE(i);
    CHECK(findings[i].kind == facts.logged[i].kind);
    CHECK(findings[i].grade == facts.logged[i].grade);
    CHECK(findings[i].evidence.size() == 1);
    CHECK(findings[i].against.empty());
  }
}

TEST_CASE("What the log says of another file system than memory shows is a finding of its own") {
  GuestFacts facts = healthy_facts();
  FileSystem& file_system = facts.file_systems.emplace_back();
  file_system.device = "sda2";
  file_system.type = "ext4";
  file_system.has_errors = true;
  facts.logged = {logged_of(FindingKind::FileSystemError, 10 * second),
                  logged_of(FindingKind::FileSystemError, 11 * second)};
  facts.logged[0].object = "sda2";
  facts.logged[1].object = "sda";
  const std::vector<Finding> findings = judge(facts).findings;
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].object == "sda2 (ext4)");
  CHECK(findings[0].grade == Grade::Strong);
  CHECK(findings[0].evidence.back().record == 10);
  CHECK(findings[1].object == "sda");
  CHECK(findings[1].evidence.size() == 1);
}

TEST_CASE("Stalled workers that the log tells of are those of that CPU, whatever they are called") {
  GuestFacts facts = healthy_facts();
  facts.cpus_of_pools = {0, 1};
  facts.pools.push_back({1, GuestVirtual{0xffff888300000000}, false, 3, 40 * second});
  facts.tasks.push_back(activity(make_task(50, "kworker/1:0", 'R', 0),
                                 {"lab_endless", "process_one_work", "worker_thread"}));
  facts.logged = {logged_of(FindingKind::StalledWorkers, 990 * second)};
  facts.logged[0].cpu = 1;
  facts.logged[0].object = "pool cpus=1 node=0 flags=0x0 nice=0";
  CHECK(judge(facts).findings.size() == 1);
  CHECK(first_of(facts).evidence.back().record == 990);
  facts.logged[0].cpu = 0;
  facts.logged[0].object = "pool cpus=0 node=0 flags=0x0 nice=0";
  CHECK(judge(facts).findings.size() == 2);
}

TEST_CASE(
    "A CPU that the log finds stuck is a victim of one that was locked up then, and only so") {
  GuestFacts facts = healthy_facts();
  lock_up(facts, 100 * second);
  facts.logged = {logged_of(FindingKind::SoftLockup, 930 * second)};
  facts.logged[0].cpu = 0;
  facts.logged[0].summary = "soft lockup for 22s";
  const std::string note = "the log names another victim: soft lockup for 22s";
  CHECK(judge(facts).findings.size() == 1);
  CHECK(first_of(facts).notes.back() == note);
  CHECK(first_of(facts).against.back().record == 930);
  SECTION("it began before, and the log told of it again") {
    facts.logged[0].since_nsec = 870 * second;
    CHECK(first_of(facts).notes.back() == note);
  }
  SECTION("it was over before") {
    facts.logged = {logged_of(FindingKind::SoftLockup, 300 * second)};
    facts.logged[0].cpu = 0;
    const std::vector<Finding> findings = judge(facts).findings;
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].against.empty());
    CHECK(findings[1].grade == Grade::Weak);
    CHECK(findings[1].notes == std::vector<std::string>{"it was over when the guest stopped"});
  }
}

TEST_CASE(
    "Of what the log tells sixteen of a kind are findings, the surest, and the rest a number") {
  GuestFacts facts;
  for (std::uint64_t i = 0; i < 20; ++i) {
    Finding& error = facts.logged.emplace_back(logged_of(FindingKind::IoError, (i + 1) * second));
    error.grade = i == 19 ? Grade::Strong : Grade::Weak;
  }
  facts.logged.push_back(logged_of(FindingKind::Warning, second));
  const std::vector<Finding> findings = judge(facts).findings;
  REQUIRE(findings.size() == 17);
  CHECK(findings[0].since_nsec == 20 * second);
  CHECK(findings[14].notes.empty());
  CHECK(findings[15].since_nsec == 15 * second);
  CHECK(findings[15].notes == std::vector<std::string>{"the log tells of 4 more of this kind"});
  CHECK(findings[16].kind == FindingKind::Warning);
  CHECK(findings[16].notes.empty());
}

TEST_CASE("Of what memory shows 512 of a kind are findings, the oldest, and the rest a number") {
  GuestFacts facts = healthy_facts();
  for (std::int32_t i = 0; i < 518; ++i) {
    const Task owner = make_task(5000 + i, "holder", 'S', 900 * second);
    const std::uint64_t lock = 0xffffffffc0001000 + static_cast<std::uint64_t>(i) * 64;
    facts.tasks.push_back(activity(owner, {"schedule", "lab_sleep"}));
    facts.tasks.push_back(
        blocked(100 + i, (100 + static_cast<std::uint64_t>(i)) * second, waits_for(lock, owner)));
  }
  const std::vector<Finding> findings = judge(facts).findings;
  REQUIRE(findings.size() == 512);
  CHECK(findings[0].task->pid == 617);
  CHECK(findings[510].notes.empty());
  CHECK(findings[511].task->pid == 106);
  CHECK(findings[511].notes == std::vector<std::string>{"memory shows 6 more of this kind"});
}

TEST_CASE("What the log says and memory no longer shows is weak, and said to be over") {
  GuestFacts facts = healthy_facts();
  Finding logged;
  logged.kind = FindingKind::BlockedTasks;
  logged.grade = Grade::Strong;
  logged.task = TaskName{50, "dd"};
  facts.logged.push_back(logged);
  const Finding finding = first_of(facts);
  CHECK(finding.kind == FindingKind::BlockedTasks);
  CHECK(finding.grade == Grade::Weak);
  CHECK(finding.notes == std::vector<std::string>{"it was over when the guest stopped"});
}

TEST_CASE("Stalled workers that the log tells of are over if those of that CPU stall no longer") {
  GuestFacts facts = healthy_facts();
  facts.cpus_of_pools = {0, 1};
  Finding logged;
  logged.kind = FindingKind::StalledWorkers;
  logged.grade = Grade::Strong;
  logged.cpu = 1;
  logged.object = "pool cpus=1 node=0 flags=0x0 nice=0";
  facts.logged = {logged};
  CHECK(first_of(facts).grade == Grade::Weak);
  CHECK(first_of(facts).notes == std::vector<std::string>{"it was over when the guest stopped"});
  facts.logged.front().object = "pool cpus=1 node=0 flags=0x1 bh";
  CHECK(first_of(facts).notes.empty());
  facts.logged.front().object = "pool cpus=0-3 flags=0x4 nice=0";
  facts.logged.front().cpu.reset();
  CHECK(first_of(facts).grade == Grade::Strong);
  CHECK(first_of(facts).notes.empty());
}

TEST_CASE("What the log says is not said to be over where memory could not be looked at") {
  GuestFacts facts = healthy_facts();
  facts.tasks.clear();
  facts.cpus.clear();
  facts.has_rcu = false;
  facts.cpus_of_pools.clear();
  for (const FindingKind kind : {FindingKind::BlockedTasks, FindingKind::SoftLockup,
                                 FindingKind::RcuStall, FindingKind::StalledWorkers}) {
    CAPTURE(name_of(kind));
    Finding logged;
    logged.kind = kind;
    logged.cpu = 1;
    logged.grade = Grade::Strong;
    facts.logged = {logged};
    const Finding finding = first_of(facts);
    CHECK(finding.kind == kind);
    CHECK(finding.grade == Grade::Strong);
    CHECK(finding.notes.empty());
  }
}

TEST_CASE("What the log says of a CPU is not over because others could be looked at") {
  GuestFacts facts = healthy_facts();
  facts.cpus_of_pools = {0, 1};
  const auto is_over = [&](FindingKind kind) {
    Finding logged;
    logged.kind = kind;
    logged.cpu = 1;
    logged.grade = Grade::Strong;
    facts.logged = {logged};
    return first_of(facts).grade == Grade::Weak;
  };
  CHECK(is_over(FindingKind::SoftLockup));
  CHECK(is_over(FindingKind::HardLockup));
  CHECK(is_over(FindingKind::StalledWorkers));
  SECTION("its timers are not known") {
    facts.cpus[1].timer_due.reset();
    CHECK_FALSE(is_over(FindingKind::SoftLockup));
    CHECK_FALSE(is_over(FindingKind::HardLockup));
  }
  SECTION("nor whether there is such a CPU") {
    facts.cpus.pop_back();
    CHECK_FALSE(is_over(FindingKind::SoftLockup));
  }
  SECTION("its workers are not known") {
    facts.cpus_of_pools = {0};
    CHECK_FALSE(is_over(FindingKind::StalledWorkers));
  }
  SECTION("one that is not online is no longer locked up") {
    facts.cpus[1].timer_due.reset();
    facts.cpus[1].is_online = false;
    CHECK(is_over(FindingKind::SoftLockup));
  }
}

TEST_CASE("A panic that the log alone tells of and the kernel denies hides nothing") {
  GuestFacts facts = healthy_facts();
  facts.panic.panic_cpu = reading("panic_cpu", 0xffffffff);
  facts.logged = {logged_of(FindingKind::Panic, 500 * second),
                  logged_of(FindingKind::Warning, 400 * second)};
  facts.logged[0].grade = Grade::Certain;
  facts.logged[0].consequences = {logged_of(FindingKind::SoftLockup, 930 * second)};
  facts.logged[0].consequences[0].cpu = 1;
  hog(facts, 100 * second);
  const std::vector<Finding> findings = judge(facts).findings;
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].kind == FindingKind::SoftLockup);
  CHECK(findings[0].evidence.back().record == 930);
  CHECK(findings[1].kind == FindingKind::Warning);
  CHECK(findings[2].kind == FindingKind::Panic);
  CHECK(findings[2].grade == Grade::Weak);
  CHECK(findings[2].against.back().what == "panic_cpu");
  CHECK(findings[2].consequences.empty());
  SECTION("a vCPU in panic() is no word of the log's") {
    facts.vcpus[0] = busy_vcpu(0, make_task(60, "sh", 'R', 0), {"panic", "sysrq_handle_crash"});
    CHECK(first_of(facts).kind == FindingKind::Panic);
    CHECK(first_of(facts).grade == Grade::Certain);
  }
  SECTION("a kernel whose variable is not known does not deny it") {
    facts.panic.panic_cpu.reset();
    CHECK(first_of(facts).kind == FindingKind::Panic);
    CHECK(first_of(facts).grade == Grade::Strong);
    CHECK(first_of(facts).consequences.size() == 1);
  }
  SECTION("nor does a variable that is damaged") {
    facts.panic.panic_cpu->value = 0x7fffffff;
    CHECK(first_of(facts).grade == Grade::Strong);
  }
}

TEST_CASE("An oops that the log tells of and the kernel has not counted is doubted") {
  GuestFacts facts = healthy_facts();
  Finding logged;
  logged.kind = FindingKind::Oops;
  logged.grade = Grade::Certain;
  facts.logged.push_back(logged);
  facts.panic.die_counter = reading("die_counter", 1);
  CHECK(first_of(facts).grade == Grade::Certain);
  facts.panic.die_counter->value = 0;
  CHECK(first_of(facts).grade == Grade::Weak);
  CHECK(first_of(facts).against.size() == 1);
}

TEST_CASE("That processes were killed, and not for whose memory, is weak") {
  GuestFacts facts = healthy_facts();
  facts.memory.oom_kills = 2;
  const Finding counted = first_of(facts);
  CHECK(counted.kind == FindingKind::OutOfMemory);
  CHECK(counted.grade == Grade::Weak);
  Finding logged;
  logged.kind = FindingKind::OutOfMemory;
  logged.grade = Grade::Certain;
  facts.logged.push_back(logged);
  CHECK(first_of(facts).grade == Grade::Certain);
}

TEST_CASE("A guest without memory to give is low on memory") {
  GuestFacts facts = healthy_facts();
  facts.memory.zones.push_back({"Normal", 100'000, 500, {1000, 1250, 1500}, 0});
  CHECK(first_of(facts).kind == FindingKind::MemoryLow);
  CHECK(first_of(facts).summary == "1 MiB are free, less than the kernel keeps for itself");
  facts.memory.page_bytes = 64 * 1024;
  CHECK(first_of(facts).summary == "31 MiB are free, less than the kernel keeps for itself");
  facts.memory.zones.push_back({"DMA32", 100'000, 50'000, {1000, 1250, 1500}, 0});
  CHECK(judge(facts).findings.empty());
}

// As Linux 6.1 was when it found no page for GFP_KERNEL: 512 MiB.
TEST_CASE("What a lower zone keeps for those who need it is no memory to give") {
  GuestFacts facts = healthy_facts();
  facts.memory.zones = {{"DMA", 3840, 440, {22, 27, 32}, 420},
                        {"DMA32", 111'000, 559, {644, 805, 966}, 0}};
  const Finding low = first_of(facts);
  CHECK(low.kind == FindingKind::MemoryLow);
  REQUIRE(low.evidence.size() == 2);
  CHECK(describe(low.evidence[0]) ==
        "zone DMA, free pages=440, at most min 22 and lowmem_reserve 420");
  facts.memory.zones[0].free_pages = 443;
  CHECK(judge(facts).findings.empty());
  facts.memory.zones[0] = {"DMA", 3840, 440, {22, 27, 32}, 0};  // not known
  CHECK(judge(facts).findings.empty());
  facts.memory.zones[0].reserve = ~std::uint64_t{0};
  CHECK(first_of(facts).kind == FindingKind::MemoryLow);
}

TEST_CASE("A guest that was booting or shutting down is said to have been") {
  GuestFacts facts = healthy_facts();
  facts.panic.system_state = SystemState::Booting;
  CHECK(judge(facts).circumstances == std::vector<std::string>{"it was booting"});
  facts.panic.system_state = SystemState::ShuttingDown;
  CHECK(judge(facts).circumstances == std::vector<std::string>{"it was shutting down"});
}

}  // namespace
}  // namespace photon_dmesg
