#include "kernel/unwind/aarch64_stacks.h"

#include <cstdint>

#include "kernel/memory/fields.h"
#include "kernel/tasks/task_reader.h"

namespace photon_dmesg {

// arch/arm64/kernel/irq.c and traps.c.
std::vector<Stack> find_aarch64_stacks(const GuestKernel& kernel, const KernelTypes& /*types*/,
                                       const Cpus& cpus) {
  constexpr std::uint64_t overflow_stack_size = 4096;
  std::vector<Stack> stacks;
  for (const Cpu& cpu : cpus.all()) {
    const auto pointer = cpus.variable(cpu, "irq_stack_ptr");
    const auto irq = pointer ? read_pointer(kernel.memory(), *pointer) : std::nullopt;
    if (irq) stacks.push_back({*irq, kernel_stack_size_of(kernel.memory()), StackKind::Irq});
    if (const auto overflow = cpus.variable(cpu, "overflow_stack")) {
      stacks.push_back({*overflow, overflow_stack_size, StackKind::Overflow});
    }
  }
  return stacks;
}

}  // namespace photon_dmesg
