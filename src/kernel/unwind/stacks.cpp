#include "kernel/unwind/stacks.h"

#include <algorithm>

#include "kernel/unwind/stack_support.h"

namespace photon_dmesg {

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

Stacks::Stacks(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus)
    : stacks_(stack_support_of(kernel).find_stacks(kernel, types, cpus)) {}

bool Stacks::has(StackKind kind) const {
  return std::any_of(stacks_.begin(), stacks_.end(),
                     [kind](const Stack& stack) { return stack.kind == kind; });
}

const Stack* Stacks::find(GuestVirtual address) const {
  const auto found = std::find_if(stacks_.begin(), stacks_.end(),
                                  [&](const Stack& stack) { return stack.contains(address); });
  return found == stacks_.end() ? nullptr : &*found;
}

}  // namespace photon_dmesg
