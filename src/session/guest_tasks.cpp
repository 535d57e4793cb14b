#include "session/guest_tasks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kernel/arch/machines/machines.h"
#include "kernel/waits/cycles.h"
#include "session/guest_frames.h"

namespace photon_dmesg {
namespace {

// Says which vCPUs' stacks are not known. In user mode none is in use.
void warn_of_stacks(const std::vector<Processor>& processors, Diagnostics& diagnostics) {
  std::vector<std::uint32_t> unknown;
  for (const Processor& processor : processors) {
    const bool was_in_user_mode =
        architecture_of(processor.vcpu.machine).was_in_user_mode(processor.vcpu).value_or(false);
    if (processor.runs_kernel && !was_in_user_mode && processor.vcpu.x86.stack_registers_in_doubt) {
      unknown.push_back(processor.index);
    }
  }
  if (unknown.empty()) return;
  diagnostics.warn_of_lack(fmt::format(
      "vCPU {}: which of two registers is the stack pointer is not known: the trace is a guess",
      fmt::join(unknown, ", ")));
}

// Those of all tasks' traces. One has some fifteen, a few have a hundred, and a damaged one may
// have thousands. The most is what a guest with 35,000 threads needs, and half a gigabyte where
// each function's name is as long as one can be.
Budget frames_of(std::size_t tasks) {
  constexpr std::uint64_t usual = 64;
  constexpr std::uint64_t few_long_ones = std::uint64_t{1} << 16;
  constexpr std::uint64_t most = std::uint64_t{1} << 19;
  return {"frames", std::min(usual * tasks + few_long_ones, most)};
}

}  // namespace

GuestTasks::GuestTasks(const Guest& guest, Diagnostics& diagnostics)
    : diagnostics_(diagnostics),
      kernel_(guest.kernel()),
      processors_(guest, diagnostics),
      code_(guest.kernel(), read_modules(guest.kernel(), types(), diagnostics)),
      stacks_(guest.kernel(), types(), cpus()),
      unwinder_(
          guest.kernel(), code_, stacks_, [&] { return open_call_frames(guest, diagnostics); },
          diagnostics),
      waits_(guest.kernel(), types(), tasks(), code_) {
  processors_.warn_of_doubts(diagnostics);
  warn_of_stacks(processors_.all(), diagnostics);
}

std::vector<VcpuActivity> GuestTasks::vcpus() const {
  std::vector<VcpuActivity> result;
  for (const Processor& processor : processors_.all()) {
    VcpuActivity activity;
    activity.vcpu = processor.index;
    const Architecture& architecture = architecture_of(processor.vcpu.machine);
    activity.has_registers = architecture.instruction_pointer(processor.vcpu).has_value();
    activity.in_user_mode = architecture.was_in_user_mode(processor.vcpu).value_or(false);
    activity.runs_kernel = processor.runs_kernel;
    activity.takes_interrupts = architecture.takes_interrupts(processor.vcpu);
    if (processor.runs_kernel) {
      if (processor.cpu != nullptr) activity.cpu = processor.cpu->number;
      activity.task = processor.task;
      activity.witnesses = processor.witnesses;
      activity.trace = unwinder_.trace(processor.vcpu);
      activity.spins_on = find_spinlock(kernel_, code_, processor.vcpu, activity.trace);
    } else {
      activity.trace.why = "it was not running this kernel";
    }
    result.push_back(std::move(activity));
  }
  return result;
}

const Vcpu* GuestTasks::running_vcpu(const Task& task) const {
  const std::vector<Processor>& all = processors_.all();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Processor& processor) {
    return processor.task && processor.task->address == task.address;
  });
  return found == all.end() ? nullptr : &found->vcpu;
}

bool GuestTasks::another_runs_on_cpu_of(const Task& task) const {
  const std::vector<Processor>& all = processors_.all();
  return std::any_of(all.begin(), all.end(), [&](const Processor& processor) {
    return processor.task && processor.cpu != nullptr && processor.cpu->number == task.cpu;
  });
}

// Whether it can't be told that `task` was not running, as without the types of its kernel: what is
// saved of one that was is old.
bool GuestTasks::may_be_running(const Task& task) const {
  const bool is_known = types().find("task_struct.on_cpu").has_value();
  const std::vector<Processor>& all = processors_.all();
  return !is_known && task.state == 'R' &&
         std::any_of(all.begin(), all.end(),
                     [](const Processor& processor) { return !processor.task; });
}

Trace GuestTasks::trace(const Task& task) const {
  return trace(task, nullptr);
}

Trace GuestTasks::trace(const Task& task, TraceBudgets* budgets) const {
  const Vcpu* vcpu = running_vcpu(task);
  if (vcpu != nullptr) return unwinder_.trace(*vcpu);
  Trace trace;
  if (task.on_cpu) {
    trace.why = fmt::format("{}: no frame is saved",
                            another_runs_on_cpu_of(task)
                                ? "it was being switched to or from"
                                : "it was running, on a CPU whose registers are not known");
    return trace;
  }
  if (may_be_running(task)) {
    trace.why = "it may have been running on a vCPU whose task is not known: no frame is certain";
    return trace;
  }
  return unwinder_.trace(task, budgets);
}

std::vector<TaskActivity> GuestTasks::activities() const {
  std::vector<TaskActivity> activities;
  const std::size_t count = tasks().all().size();
  TraceBudgets budgets{frames_of(count), stack_words("words that may be return addresses", count)};
  for (const Task& task : tasks().all()) {
    TaskActivity& activity = activities.emplace_back();
    activity.task = task;
    activity.trace = trace(task, &budgets);
    const auto wait = waits_.find(task, activity.trace);
    if (!wait) continue;
    Waiting& waiting = activity.waiting.emplace();
    waiting.wait = *wait;
    if (wait->owner) waiting.owner = tasks().read(*wait->owner);
  }
  budgets.frames.warn_if_exceeded("the stacks of all tasks", diagnostics_);
  budgets.words.warn_if_exceeded("the stacks of all tasks", diagnostics_);
  waits_.warn_if_exceeded(diagnostics_);
  find_cycles(activities, diagnostics_);
  return activities;
}

}  // namespace photon_dmesg
