#include "session/guest_tasks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kernel/arch/machines/machines.h"
#include "kernel/self/guest_types.h"
#include "kernel/tasks/crash_notes.h"
#include "session/guest_frames.h"

namespace photon_dmesg {
namespace {

bool is_in_user_mode(const Vcpu& vcpu) {
  constexpr std::uint16_t privilege_mask = 3;
  return vcpu.x86.cs && (*vcpu.x86.cs & privilege_mask) != 0;
}

}  // namespace

GuestTasks::GuestTasks(const Guest& guest, Diagnostics& diagnostics)
    : guest_(guest),
      types_(types_of(guest.kernel(), diagnostics)),
      cpus_(guest.kernel(), types_, guest.state().vcpus.size(), diagnostics),
      tasks_(guest.kernel(), types_, derived_first_task(types_), diagnostics),
      code_(guest.kernel(), read_modules(guest.kernel(), types_, diagnostics)),
      stacks_(guest.kernel(), types_, cpus_),
      unwinder_(
          guest.kernel(), code_, stacks_, [&] { return open_call_frames(guest, diagnostics); },
          diagnostics),
      waits_(guest.kernel(), types_, tasks_, code_) {
  for (const std::string& doubt : types_.doubts()) {
    diagnostics.warn(fmt::format("the kernel's types contradict each other: {}", doubt));
  }
  find_processors(diagnostics);
}

// Whether what `vcpu` was doing can be told by the guest's kernel: it was in it or in user mode.
bool GuestTasks::is_in_kernel(const Vcpu& vcpu) const {
  if (!guest_.runs_kernel(vcpu)) return false;
  const Architecture& architecture = architecture_of(vcpu.machine);
  const auto at = architecture.instruction_pointer(vcpu);
  return !at || is_in_user_mode(vcpu) || architecture.is_kernel_pointer(at->value);
}

void GuestTasks::find_processors(Diagnostics& diagnostics) {
  for (const Vcpu& vcpu : guest_.state().vcpus) {
    Processor processor{vcpu, cpus_.find(vcpu), is_in_kernel(vcpu), std::nullopt, {}};
    // After a crash it runs the crash-dump kernel, or waits in firmware.
    if (!processor.runs_kernel && processor.cpu != nullptr) {
      if (const auto saved = read_crash_registers(guest_.kernel(), *processor.cpu)) {
        processor.vcpu = *saved;
        processor.runs_kernel = true;
        diagnostics.found({.what = "registers",
                           .value = fmt::format("of CPU {}", processor.cpu->number),
                           .where = "crash_notes",
                           .how = fmt::format("vCPU {} no longer runs the kernel", vcpu.index)});
      }
    }
    if (processor.runs_kernel) find_current_task(processor, diagnostics);
    processors_.push_back(std::move(processor));
  }
}

// The task on whose stack the processor is, which may be an idle one.
std::optional<GuestVirtual> GuestTasks::task_of_stack(const Processor& processor) const {
  const auto sp = architecture_of(processor.vcpu.machine).stack_pointer(processor.vcpu);
  if (!sp || is_in_user_mode(processor.vcpu)) return std::nullopt;
  if (const Task* task = tasks_.find_stack(*sp)) return task->address;
  // No list has the idle tasks; the first is the one that it begins with.
  const auto idle_task =
      processor.cpu != nullptr ? processor.cpu->idle : derived_first_task(types_);
  const auto idle = idle_task ? tasks_.read(*idle_task) : std::nullopt;
  const bool is_on_idle = idle && idle->stack && *sp - *idle->stack < kernel_stack_size;
  return is_on_idle ? idle_task : std::nullopt;
}

// By the CPU's own variable, its run queue, and the stack that it is on: two of them agree, but for
// moments in which it is being switched.
void GuestTasks::find_current_task(Processor& processor, Diagnostics& diagnostics) const {
  struct Witness {
    const char* name;
    std::optional<GuestVirtual> task;
  };
  // The stack is what the processor really uses.
  std::vector<Witness> found = {{"the stack", task_of_stack(processor)}};
  if (processor.cpu != nullptr) {
    found.push_back({"current_task", processor.cpu->current});
    found.push_back({"rq.curr", processor.cpu->queue_current});
  }
  std::erase_if(found, [](const Witness& witness) { return !witness.task; });
  if (found.empty()) return;
  std::vector<std::string_view> agree;
  for (const Witness& witness : found) {
    if (witness.task == found.front().task) {
      agree.emplace_back(witness.name);
      continue;
    }
    const auto other = tasks_.read(*witness.task);
    diagnostics.found({.what = fmt::format("current task by {}", witness.name),
                       .value = fmt::format("{}", *witness.task),
                       .where = fmt::format("vCPU {}", processor.vcpu.index),
                       .how = other ? name_and_pid(*other) + ": it is being switched to or from"
                                    : "no task can be read there"});
  }
  processor.witnesses = fmt::format("{}", fmt::join(agree, ", "));
  processor.task = tasks_.read(*found.front().task);
}

std::vector<VcpuActivity> GuestTasks::vcpus() const {
  std::vector<VcpuActivity> result;
  for (std::size_t i = 0; i < processors_.size(); ++i) {
    const Processor& processor = processors_[i];
    VcpuActivity activity;
    activity.vcpu = guest_.state().vcpus[i].index;
    activity.in_user_mode = is_in_user_mode(processor.vcpu);
    activity.runs_kernel = processor.runs_kernel;
    activity.takes_interrupts =
        architecture_of(processor.vcpu.machine).takes_interrupts(processor.vcpu);
    if (processor.runs_kernel) {
      if (processor.cpu != nullptr) activity.cpu = processor.cpu->number;
      activity.task = processor.task;
      activity.witnesses = processor.witnesses;
      activity.trace = unwinder_.trace(processor.vcpu);
    } else {
      activity.trace.why = "it was not running this kernel";
    }
    result.push_back(std::move(activity));
  }
  return result;
}

const Vcpu* GuestTasks::running_vcpu(const Task& task) const {
  const auto found =
      std::find_if(processors_.begin(), processors_.end(), [&](const Processor& processor) {
        return processor.task && processor.task->address == task.address;
      });
  return found == processors_.end() ? nullptr : &found->vcpu;
}

// Whether it can't be told that `task` was not running, as without the types of its kernel: what is
// saved of one that was is old.
bool GuestTasks::may_be_running(const Task& task) const {
  const bool is_known = types_.find("task_struct.on_cpu").has_value();
  return !is_known && task.state == 'R' &&
         std::any_of(processors_.begin(), processors_.end(),
                     [](const Processor& processor) { return !processor.task; });
}

Trace GuestTasks::trace(const Task& task) const {
  const Vcpu* vcpu = running_vcpu(task);
  if (vcpu != nullptr) return unwinder_.trace(*vcpu);
  Trace trace;
  if (task.on_cpu) {
    trace.why = "it was being switched to or from: no frame is saved";
    return trace;
  }
  if (may_be_running(task)) {
    trace.why = "it may have been running on a vCPU whose task is not known: no frame is certain";
    return trace;
  }
  return unwinder_.trace(task);
}

std::vector<TaskActivity> GuestTasks::activities() const {
  std::vector<TaskActivity> activities;
  Owners owners;
  for (const Task& task : tasks_.all()) {
    TaskActivity& activity = activities.emplace_back();
    activity.task = task;
    activity.trace = trace(task);
    const auto wait = waits_.find(task, activity.trace);
    if (!wait) continue;
    Waiting& waiting = activity.waiting.emplace();
    waiting.wait = *wait;
    if (!wait->owner) continue;
    waiting.owner = tasks_.read(*wait->owner);
    if (wait->owner_is_certain) owners[task.address.value] = wait->owner->value;
  }
  for (TaskActivity& activity : activities) {
    if (!activity.waiting) continue;
    for (const GuestVirtual address : find_cycle(owners, activity.task.address)) {
      if (const Task* other = tasks_.find(address)) activity.waiting->cycle.push_back(*other);
    }
  }
  return activities;
}

}  // namespace photon_dmesg
