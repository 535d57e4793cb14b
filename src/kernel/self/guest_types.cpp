#include "kernel/self/guest_types.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "kernel/self/derived_types.h"
#include "kernel/self/memory_btf.h"
#include "kernel/self/module_btf.h"
#include "kernel/self/task_ring.h"
#include "kernel/symbols/symbol_types.h"

namespace photon_dmesg {

KernelTypes types_of(const GuestKernel& kernel, Diagnostics& diagnostics) {
  KernelTypes types;
  auto own = std::make_shared<SymbolTypes>(kernel.symbols());
  if (own->find_struct("task_struct") != nullptr) types.add(std::move(own));
  if (auto btf = find_memory_btf(kernel, diagnostics)) {
    types.add(btf);
    auto of_modules = find_module_btf(kernel, types, std::move(btf), diagnostics);
    if (of_modules) types.add(std::move(of_modules));
  }
  if (types.sources().empty()) {
    if (auto derived = DerivedTypes::find(kernel.image(), diagnostics)) types.add(derived);
  }
  return types;
}

std::optional<GuestVirtual> derived_first_task(const KernelTypes& types) {
  for (const auto& source : types.sources()) {
    const auto* derived = dynamic_cast<const DerivedTypes*>(source.get());
    if (derived != nullptr) return derived->init_task();
  }
  return std::nullopt;
}

std::optional<GuestVirtual> find_first_task(const GuestKernel& kernel, const KernelTypes& types,
                                            Diagnostics& diagnostics) {
  if (const auto symbol = kernel.find_address("init_task")) return symbol;
  if (const auto derived = derived_first_task(types)) return derived;
  const auto tasks = types.find("task_struct.tasks");
  const auto comm = types.find("task_struct.comm");
  if (!tasks || !comm) return std::nullopt;
  const std::optional<TaskRing> ring = find_task_ring(kernel.image(), diagnostics);
  if (!ring || ring->comm != comm->offset - tasks->offset) return std::nullopt;
  const GuestVirtual first{ring->nodes.front().value - tasks->offset};
  diagnostics.found({.what = "the idle task",
                     .value = fmt::format("{}", first),
                     .where = "the guest's memory",
                     .how = fmt::format("it begins a list of {} processes", ring->nodes.size())});
  return first;
}

}  // namespace photon_dmesg
