#include "kernel/arch/x86_64/stack_registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checkpoint/guest/privilege.h"
#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/arch/x86_64/vcpu_tables.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t rsp = 4;  // x86's register numbers
constexpr std::size_t rbp = 5;

bool is_in_kernel_mode(const Vcpu& vcpu) {
  if (vcpu.x86.cs) return !is_user_code(*vcpu.x86.cs);
  return vcpu.x86.rip && x86_64::is_kernel_pointer(vcpu.x86.rip->value);
}

bool may_be_stack_pointer(const std::vector<PageTables>& candidates, std::uint64_t value) {
  constexpr std::uint64_t alignment = 8;
  if (value % alignment != 0 || !x86_64::is_kernel_pointer(value)) return false;
  // An empty stack's pointer stands one byte behind it.
  return std::any_of(candidates.begin(), candidates.end(), [&](const PageTables& tables) {
    return tables.find({value}) || tables.find({value - alignment});
  });
}

}  // namespace

void decide_stack_registers(const GuestMemory& memory, std::vector<Vcpu>& vcpus,
                            Diagnostics& diagnostics) {
  for (Vcpu& vcpu : vcpus) {
    const std::vector<PageTables> tables = vcpu_page_tables(memory, vcpu);
    const bool has_all = vcpu.x86.general[rsp] && vcpu.x86.general[rbp] && !tables.empty();
    if (!vcpu.x86.stack_registers_in_doubt || !has_all || !is_in_kernel_mode(vcpu)) continue;
    const bool as_read = may_be_stack_pointer(tables, *vcpu.x86.general[rsp]);
    const bool swapped = may_be_stack_pointer(tables, *vcpu.x86.general[rbp]);
    if (!as_read && swapped) {
      diagnostics.found({.what = "rsp stands before rbp in its gpregs",
                         .where = fmt::format("vCPU {}", vcpu.index),
                         .how = fmt::format("{:#x} is no mapped stack, {:#x} is",
                                            *vcpu.x86.general[rsp], *vcpu.x86.general[rbp])});
      std::swap(vcpu.x86.general[rsp], vcpu.x86.general[rbp]);
    }
    vcpu.x86.stack_registers_in_doubt = as_read == swapped;
  }
}

}  // namespace photon_dmesg
