#include "kernel/unwind/x86_64_stacks.h"

#include <array>
#include <optional>

#include "kernel/memory/fields.h"

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

void add_irq_stack(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus,
                   const Cpu& cpu, std::vector<Stack>& stacks) {
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
  stacks.push_back({{end.value - irq_stack_size}, irq_stack_size, StackKind::Irq});
}

void add_exception_stacks(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus,
                          const Cpu& cpu, std::vector<Stack>& stacks) {
  const auto variable = cpus.variable(cpu, "cea_exception_stacks");
  const auto begin = variable ? read_pointer(kernel.memory(), *variable) : std::nullopt;
  if (!begin) return;
  for (const ExceptionStack& stack : exception_stacks) {
    const auto field = types.find(stack.member);
    if (field && field->size > 0) {
      stacks.push_back({*begin + field->offset, field->size, stack.kind});
    }
  }
}

void add_old_exception_stacks(const GuestKernel& kernel, const Cpus& cpus, const Cpu& cpu,
                              std::vector<Stack>& stacks) {
  const auto variable = cpus.variable(cpu, "orig_ist");
  if (!variable) return;
  for (std::size_t i = 0; i < old_exception_stacks.size(); ++i) {
    const auto end = read_pointer(kernel.memory(), *variable + i * sizeof(std::uint64_t));
    if (!end) continue;
    const OldExceptionStack& stack = old_exception_stacks[i];
    stacks.push_back({{end->value - stack.size}, stack.size, stack.kind});
  }
}

}  // namespace

std::vector<Stack> find_x86_64_stacks(const GuestKernel& kernel, const KernelTypes& types,
                                      const Cpus& cpus) {
  std::vector<Stack> stacks;
  for (const Cpu& cpu : cpus.all()) {
    add_irq_stack(kernel, types, cpus, cpu, stacks);
    add_exception_stacks(kernel, types, cpus, cpu, stacks);
    add_old_exception_stacks(kernel, cpus, cpu, stacks);
  }
  return stacks;
}

}  // namespace photon_dmesg
