#include "session/guest_processors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kernel/arch/machines/machines.h"
#include "kernel/self/guest_types.h"
#include "kernel/tasks/crash_notes.h"
#include "kernel/tasks/current_tasks.h"

namespace photon_dmesg {
namespace {

// False also if the checkpoint does not say.
bool was_in_user_mode(const Vcpu& vcpu) {
  return architecture_of(vcpu.machine).was_in_user_mode(vcpu).value_or(false);
}

}  // namespace

GuestProcessors::GuestProcessors(const Guest& guest, Diagnostics& diagnostics)
    : guest_(guest),
      types_(types_of(guest.kernel(), diagnostics)),
      cpus_(guest.kernel(), types_, guest.state().vcpus, diagnostics),
      first_task_(find_first_task(guest.kernel(), types_, diagnostics)),
      tasks_(guest.kernel(), types_, cpus_, first_task_, diagnostics) {
  find(diagnostics);
}

void GuestProcessors::warn_of_doubts(Diagnostics& diagnostics) const {
  for (const std::string& doubt : types_.doubts()) {
    diagnostics.warn(fmt::format("the kernel's types contradict each other: {}", doubt));
  }
}

// Whether what `vcpu` was doing can be told by the guest's kernel: it was in it or in user mode.
bool GuestProcessors::is_in_kernel(const Vcpu& vcpu) const {
  if (!guest_.runs_kernel(vcpu)) return false;
  const Architecture& architecture = architecture_of(vcpu.machine);
  const auto at = architecture.instruction_pointer(vcpu);
  return !at || was_in_user_mode(vcpu) || architecture.is_kernel_pointer(at->value);
}

void GuestProcessors::find(Diagnostics& diagnostics) {
  const std::vector<Vcpu>& vcpus = guest_.state().vcpus;
  const std::vector<const Cpu*> cpus = cpus_.match(vcpus);
  for (std::size_t i = 0; i < vcpus.size(); ++i) {
    const Vcpu& vcpu = vcpus[i];
    Processor processor{vcpu, vcpu.index, cpus[i], is_in_kernel(vcpu), std::nullopt, {}};
    if (cpus[i] == nullptr && processor.runs_kernel && !cpus_.all().empty()) {
      diagnostics.warn_of_lack(fmt::format(
          "vCPU {}: which of the kernel's CPUs it is is not known: the kernel has other "
          "numbers than the checkpoint, and no register of it tells",
          vcpu.index));
    }
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
    if (!processor.task) find_by_tasks(processor);
    processors_.push_back(std::move(processor));
  }
  find_by_form();
}

// Where the checkpoint lacks the registers that would lead to the CPU's own variables, and no
// symbol does: by the tasks' own members. Idle tasks are in no list.
void GuestProcessors::find_by_tasks(Processor& processor) const {
  const Vcpu& vcpu = processor.vcpu;
  if (architecture_of(vcpu.machine).instruction_pointer(vcpu)) return;
  const auto runs_here = [&](const Task& task) { return task.on_cpu && task.cpu == vcpu.index; };
  const auto& tasks = tasks_.all();
  const auto found = std::find_if(tasks.begin(), tasks.end(), runs_here);
  // While tasks are switched, two are on it.
  if (found == tasks.end() || std::count_if(tasks.begin(), tasks.end(), runs_here) > 1) return;
  processor.task = *found;
  processor.witnesses = "on_cpu";
}

// Where no symbol tells of a CPU's own variables.
void GuestProcessors::find_by_form() {
  std::vector<CpuAtStop> cpus;
  for (const Processor& processor : processors_) {
    const Cpu* cpu = processor.cpu;
    if (cpu == nullptr || !cpu->per_cpu_offset || cpu->current || cpu->queue_current ||
        !processor.runs_kernel)
      return;
    cpus.push_back({cpu->number, GuestVirtual{*cpu->per_cpu_offset},
                    was_in_user_mode(processor.vcpu),
                    processor.task ? std::optional(processor.task->address) : std::nullopt});
  }
  const auto current = find_current_tasks(guest_.kernel().memory(), tasks_, cpus);
  for (Processor& processor : processors_) {
    const auto found = current.find(processor.cpu->number);
    if (processor.task || found == current.end()) continue;
    processor.task = tasks_.read(found->second);
    processor.witnesses = "the form of its per-CPU data";
  }
}

// The task on whose stack the processor is, which may be an idle one.
std::optional<GuestVirtual> GuestProcessors::task_of_stack(const Processor& processor) const {
  const auto sp = architecture_of(processor.vcpu.machine).stack_pointer(processor.vcpu);
  if (!sp || was_in_user_mode(processor.vcpu)) return std::nullopt;
  if (const Task* task = tasks_.find_stack(*sp)) return task->address;
  // No list has the idle tasks; the first is the one that it begins with.
  const auto idle_task =
      processor.cpu != nullptr && processor.cpu->idle ? processor.cpu->idle : first_task_;
  const auto idle = idle_task ? tasks_.read(*idle_task) : std::nullopt;
  const std::uint64_t stack_size = kernel_stack_size_of(guest_.kernel().memory());
  const bool is_on_idle = idle && idle->stack && *sp - *idle->stack < stack_size;
  return is_on_idle ? idle_task : std::nullopt;
}

// By the CPU's own variable, its run queue, and the stack that it is on: two of them agree, but for
// moments in which it is being switched.
void GuestProcessors::find_current_task(Processor& processor, Diagnostics& diagnostics) const {
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

}  // namespace photon_dmesg
