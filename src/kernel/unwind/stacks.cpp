#include "kernel/unwind/stacks.h"

#include <algorithm>
#include <array>
#include <optional>

#include "kernel/arch/machines/machines.h"
#include "kernel/memory/fields.h"
#include "kernel/tasks/task_reader.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t irq_stack_size = 16384;

struct ExceptionStack {
  StackKind kind;
  const char* member;  // of struct cea_exception_stacks, since 5.1
};
constexpr std::array exception_stacks = {
    ExceptionStack{StackKind::DoubleFault, "cea_exception_stacks.DF_stack"},
    ExceptionStack{StackKind::Nmi, "cea_exception_stacks.NMI_stack"},
    ExceptionStack{StackKind::Debug, "cea_exception_stacks.DB_stack"},
    ExceptionStack{StackKind::MachineCheck, "cea_exception_stacks.MCE_stack"},
    ExceptionStack{StackKind::Virtualization, "cea_exception_stacks.VC_stack"},
    ExceptionStack{StackKind::Virtualization, "cea_exception_stacks.VC2_stack"},
};

// Before 5.1: by orig_ist.ist[], which has the end of each (arch/x86/include/asm/page_64_types.h).
struct OldExceptionStack {
  StackKind kind;
  std::uint64_t size;
};
constexpr std::array old_exception_stacks = {OldExceptionStack{StackKind::DoubleFault, page},
                                             OldExceptionStack{StackKind::Nmi, page},
                                             OldExceptionStack{StackKind::Debug, 2 * page},
                                             OldExceptionStack{StackKind::MachineCheck, page}};

}  // namespace

std::string_view name_of(StackKind kind) {
  switch (kind) {
    case StackKind::Task:
      return "task";
    case StackKind::Irq:
      return "irq";
    case StackKind::DoubleFault:
      return "double_fault";
    case StackKind::Nmi:
      return "nmi";
    case StackKind::Debug:
      return "debug";
    case StackKind::MachineCheck:
      return "machine_check";
    case StackKind::Virtualization:
      return "virtualization";
    case StackKind::Overflow:
      return "overflow";
    case StackKind::Unknown:
      break;
  }
  return "unknown";
}

Stacks::Stacks(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus) {
  for (const Cpu& cpu : cpus.all()) {
    if (is_of(kernel.memory().tables().architecture(), Machine::Aarch64)) {
      add_arm64_stacks(kernel, cpus, cpu);
      continue;
    }
    add_irq_stack(kernel, types, cpus, cpu);
    add_exception_stacks(kernel, types, cpus, cpu);
    add_old_exception_stacks(kernel, cpus, cpu);
  }
}

const Stack* Stacks::find(GuestVirtual address) const {
  const auto found = std::find_if(stacks_.begin(), stacks_.end(),
                                  [&](const Stack& stack) { return stack.contains(address); });
  return found == stacks_.end() ? nullptr : &*found;
}

// arch/arm64/kernel/irq.c and traps.c.
void Stacks::add_arm64_stacks(const GuestKernel& kernel, const Cpus& cpus, const Cpu& cpu) {
  const auto irq_pointer = cpus.variable(cpu, "irq_stack_ptr");
  const auto irq = irq_pointer ? read_pointer(kernel.memory(), *irq_pointer) : std::nullopt;
  if (irq) stacks_.push_back({*irq, kernel_stack_size_of(kernel.memory()), StackKind::Irq});
  if (const auto overflow = cpus.variable(cpu, "overflow_stack")) {
    stacks_.push_back({*overflow, page, StackKind::Overflow});
  }
}

void Stacks::add_irq_stack(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus,
                           const Cpu& cpu) {
  std::optional<GuestVirtual> top;
  if (const auto hot = cpus.variable(cpu, "pcpu_hot")) {  // 6.2 to 6.14
    top = read_pointer(kernel.memory(), *hot, types.find("pcpu_hot.hardirq_stack_ptr"));
  }
  for (const char* name : {"hardirq_stack_ptr", "irq_stack_ptr"}) {  // since 5.2; before
    const auto variable = top ? std::nullopt : cpus.variable(cpu, name);
    if (variable) top = read_pointer(kernel.memory(), *variable);
  }
  if (!top) return;
  // Some versions point at the stack's last word, some behind it.
  const GuestVirtual end{(top->value + page - 1) / page * page};
  stacks_.push_back({{end.value - irq_stack_size}, irq_stack_size, StackKind::Irq});
}

void Stacks::add_exception_stacks(const GuestKernel& kernel, const KernelTypes& types,
                                  const Cpus& cpus, const Cpu& cpu) {
  const auto variable = cpus.variable(cpu, "cea_exception_stacks");
  const auto begin = variable ? read_pointer(kernel.memory(), *variable) : std::nullopt;
  if (!begin) return;
  for (const ExceptionStack& stack : exception_stacks) {
    const auto field = types.find(stack.member);
    if (field && field->size > 0) {
      stacks_.push_back({*begin + field->offset, field->size, stack.kind});
    }
  }
}

void Stacks::add_old_exception_stacks(const GuestKernel& kernel, const Cpus& cpus, const Cpu& cpu) {
  const auto variable = cpus.variable(cpu, "orig_ist");
  if (!variable) return;
  for (std::size_t i = 0; i < old_exception_stacks.size(); ++i) {
    const auto end = read_pointer(kernel.memory(), *variable + i * sizeof(std::uint64_t));
    if (!end) continue;
    const OldExceptionStack& stack = old_exception_stacks[i];
    stacks_.push_back({{end->value - stack.size}, stack.size, stack.kind});
  }
}

}  // namespace photon_dmesg
