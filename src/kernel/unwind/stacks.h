#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/address_ranges.h"
#include "base/budget.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// What a kernel uses a stack for.
enum class StackKind {
  Task,
  Irq,
  DoubleFault,
  Nmi,
  Debug,
  MachineCheck,
  Virtualization,
  Overflow,
  Unknown
};

// As reports call it: "task", "irq".
[[nodiscard]] std::string_view name_of(StackKind kind);

struct Stack {
  GuestVirtual begin;
  std::uint64_t size = 0;  // bytes; the stack grows down from its end
  StackKind kind = StackKind::Unknown;

  [[nodiscard]] bool contains(GuestVirtual address) const { return address - begin < size; }
};

// The stacks that each CPU has beside its tasks': for interrupts, for some exceptions.
class Stacks {
 public:
  Stacks(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus);

  // Null if it is on none of them, as on a task's.
  [[nodiscard]] const Stack* find(GuestVirtual address) const;
  // Whether it is known where any of that kind is.
  [[nodiscard]] bool has(StackKind kind) const;

 private:
  std::vector<Stack> stacks_;
  AddressRanges places_;  // of each of them
  std::set<StackKind> kinds_;
};

// How many words of the stacks of so many tasks may be looked through, which are called `what`. A
// task that sleeps has some 80 in use, hardly any more than 200. The most is what 25,000 of them
// have.
[[nodiscard]] Budget stack_words(std::string what, std::size_t tasks);

}  // namespace photon_dmesg
