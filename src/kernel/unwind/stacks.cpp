#include "kernel/unwind/stacks.h"

#include <algorithm>
#include <utility>

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
    : stacks_(stack_support_of(kernel).find_stacks(kernel, types, cpus)) {
  std::vector<AddressRange> places;
  for (const Stack& stack : stacks_) {
    places.push_back({stack.begin, stack.size});
    kinds_.insert(stack.kind);
  }
  places_ = AddressRanges(places);
}

bool Stacks::has(StackKind kind) const {
  return kinds_.contains(kind);
}

const Stack* Stacks::find(GuestVirtual address) const {
  const auto found = places_.find(address);
  return found ? &stacks_[*found] : nullptr;
}

Budget stack_words(std::string what, std::size_t tasks) {
  constexpr std::uint64_t usual = 256;
  constexpr std::uint64_t few_full_stacks = std::uint64_t{1} << 18;
  constexpr std::uint64_t most = std::uint64_t{1} << 21;
  return {std::move(what), std::min(usual * tasks + few_full_stacks, most)};
}

}  // namespace photon_dmesg
