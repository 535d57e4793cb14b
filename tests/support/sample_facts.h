#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "triage/rules/guest_facts.h"

// Guests made up for rules: a healthy one, and what makes it less so.
namespace photon_dmesg::sample {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t now = 1000 * second;

inline Trace trace_of(const std::vector<std::string>& functions, TraceEnd end = TraceEnd::User) {
  Trace trace;
  trace.method = UnwindMethod::Orc;
  trace.end = end;
  for (const std::string& function : functions) {
    Frame& frame = trace.frames.emplace_back();
    frame.address = GuestVirtual{0xffffffff81000010 + 0x100 * trace.frames.size()};
    frame.place = CodePlace{function, 0x10, 0x40, ""};
  }
  return trace;
}

// Task_structs are apart by more than one takes.
inline GuestVirtual task_struct(std::int32_t pid) {
  return GuestVirtual{0xffff888000000000 + 0x4000 * static_cast<std::uint64_t>(pid)};
}

// A task that last ran `off_cpu` nanoseconds ago.
inline Task make_task(std::int32_t pid, std::string comm, char state, std::uint64_t off_cpu) {
  Task task;
  task.address = task_struct(pid);
  task.pid = pid;
  task.tgid = pid;
  task.comm = std::move(comm);
  task.state = state;
  task.cpu = 0;
  task.last_ran_nsec = now - off_cpu;
  task.queued_nsec = state == 'R' ? now - off_cpu : 0;
  return task;
}

inline TaskActivity activity(const Task& task, const std::vector<std::string>& functions) {
  TaskActivity result;
  result.task = task;
  result.trace = trace_of(functions);
  return result;
}

// What `task` waits for: a mutex that `owner` has.
inline Waiting waits_for(std::uint64_t mutex, const Task& owner) {
  Waiting waiting;
  waiting.wait.kind = WaitKind::Mutex;
  waiting.wait.object = GuestVirtual{mutex};
  waiting.wait.owner = owner.address;
  waiting.owner = owner;
  return waiting;
}

inline VcpuActivity idle_vcpu(std::uint32_t number) {
  VcpuActivity vcpu;
  vcpu.vcpu = number;
  vcpu.cpu = number;
  vcpu.takes_interrupts = true;
  vcpu.task = make_task(0, "swapper/" + std::to_string(number), 'R', 0);
  vcpu.task->address = GuestVirtual{0xffff888100000000 + 0x4000ULL * number};
  vcpu.task->cpu = number;
  vcpu.task->on_cpu = true;
  vcpu.trace = trace_of({"default_idle", "do_idle", "cpu_startup_entry"}, TraceEnd::Start);
  return vcpu;
}

// A vCPU that runs `task` in these functions of the kernel.
inline VcpuActivity busy_vcpu(std::uint32_t number, Task task,
                              const std::vector<std::string>& functions) {
  VcpuActivity vcpu = idle_vcpu(number);
  task.cpu = number;
  task.on_cpu = true;
  vcpu.task = std::move(task);
  vcpu.trace = trace_of(functions);
  return vcpu;
}

inline CpuHealth healthy_cpu(std::uint32_t number) {
  CpuHealth health;
  health.cpu = number;
  health.timer_due = Reading{"hrtimer_bases.expires_next",
                             GuestVirtual{0xffff888200000020 + 0x10000ULL * number}, now};
  health.has_timers = true;
  health.timer_agrees = true;
  health.stopper = task_struct(static_cast<std::int32_t>(20 + number));
  return health;
}

// Two CPUs that idle, a shell and a kernel thread that sleep.
inline GuestFacts healthy_facts() {
  GuestFacts facts;
  facts.time.now_nsec = now;
  facts.time.hz = 250;
  facts.vcpus = {idle_vcpu(0), idle_vcpu(1)};
  facts.cpus = {healthy_cpu(0), healthy_cpu(1)};
  facts.tasks = {
      activity(make_task(1, "init", 'S', 100 * second), {"schedule", "do_wait", "__x64_sys_wait4"}),
      activity(make_task(2, "kthreadd", 'S', 200 * second), {"schedule", "kthreadd"}),
      activity(make_task(20, "migration/0", 'S', 3 * second), {"schedule", "smpboot_thread_fn"}),
      activity(make_task(21, "migration/1", 'S', 3 * second), {"schedule", "smpboot_thread_fn"})};
  facts.tasks.back().task.cpu = 1;
  facts.panic.system_state = SystemState::Running;
  return facts;
}

}  // namespace photon_dmesg::sample
