#include "session/guest_tasks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kernel/arch/machines/machines.h"
#include "kernel/self/guest_types.h"
#include "kernel/tasks/crash_notes.h"

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
      tasks_(guest.kernel(), types_, std::nullopt, diagnostics),
      code_(guest.kernel(), read_modules(guest.kernel(), types_, diagnostics)),
      stacks_(guest.kernel(), types_, cpus_),
      unwinder_(guest.kernel(), code_, stacks_, diagnostics),
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
    Processor processor{vcpu, cpus_.find(vcpu), is_in_kernel(vcpu)};
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
    processors_.push_back(std::move(processor));
  }
}

// By the CPU's own variable, its run queue, and the stack that it is on: two of them agree, but for
// moments in which it is being switched.
std::optional<Task> GuestTasks::current_task(const Processor& processor, std::string& witnesses,
                                             Diagnostics& diagnostics) const {
  const auto& [vcpu, cpu, runs_kernel] = processor;
  struct Witness {
    const char* name;
    std::optional<GuestVirtual> task;
  };
  std::vector<Witness> found;
  if (cpu != nullptr) {
    found.push_back({"current_task", cpu->current});
    found.push_back({"rq.curr", cpu->queue_current});
  }
  const auto sp = architecture_of(vcpu.machine).stack_pointer(vcpu);
  const Task* on_stack = sp && !is_in_user_mode(vcpu) ? tasks_.find_stack(*sp) : nullptr;
  if (on_stack != nullptr) found.push_back({"the stack", on_stack->address});
  std::erase_if(found, [](const Witness& witness) { return !witness.task; });
  if (found.empty()) return std::nullopt;
  // The stack is what the processor really uses.
  const GuestVirtual chosen = *(on_stack != nullptr ? found.back() : found.front()).task;
  std::vector<std::string_view> agree;
  for (const Witness& witness : found) {
    if (*witness.task == chosen) {
      agree.emplace_back(witness.name);
      continue;
    }
    const auto other = tasks_.read(*witness.task);
    diagnostics.found({.what = fmt::format("current task by {}", witness.name),
                       .value = fmt::format("{}", *witness.task),
                       .where = fmt::format("vCPU {}", vcpu.index),
                       .how = other ? fmt::format("{} ({}): it is being switched to or from",
                                                  other->comm, other->pid)
                                    : "no task can be read there"});
  }
  witnesses = fmt::format("{}", fmt::join(agree, ", "));
  return tasks_.read(chosen);
}

std::vector<VcpuActivity> GuestTasks::vcpus(Diagnostics& diagnostics) const {
  std::vector<VcpuActivity> result;
  for (std::size_t i = 0; i < processors_.size(); ++i) {
    const Processor& processor = processors_[i];
    VcpuActivity activity;
    activity.vcpu = guest_.state().vcpus[i].index;
    activity.in_user_mode = is_in_user_mode(processor.vcpu);
    activity.runs_kernel = processor.runs_kernel;
    if (processor.runs_kernel) {
      if (processor.cpu != nullptr) activity.cpu = processor.cpu->number;
      activity.task = current_task(processor, activity.witnesses, diagnostics);
      activity.trace = unwinder_.trace(processor.vcpu);
    } else {
      activity.trace.why = "it was not running this kernel";
    }
    result.push_back(std::move(activity));
  }
  return result;
}

const Vcpu* GuestTasks::running_vcpu(const Task& task) const {
  for (const Processor& processor : processors_) {
    if (!processor.runs_kernel) continue;
    const Vcpu& vcpu = processor.vcpu;
    const bool is_current = processor.cpu != nullptr && processor.cpu->current == task.address;
    const auto sp = architecture_of(vcpu.machine).stack_pointer(vcpu);
    const bool is_on_stack =
        sp && !is_in_user_mode(vcpu) && task.stack && *sp - *task.stack < kernel_stack_size;
    if (is_on_stack || is_current) return &vcpu;
  }
  return nullptr;
}

Trace GuestTasks::trace(const Task& task) const {
  const Vcpu* vcpu = running_vcpu(task);
  if (vcpu != nullptr) return unwinder_.trace(*vcpu);
  if (task.on_cpu) {
    Trace trace;
    trace.why = "it was being switched to or from: no frame is saved";
    return trace;
  }
  return unwinder_.trace(task);
}

}  // namespace photon_dmesg
