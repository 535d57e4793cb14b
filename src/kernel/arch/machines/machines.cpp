#include "kernel/arch/machines/machines.h"

#include <elf.h>

#include <array>

#include "kernel/arch/aarch64/aarch64.h"
#include "kernel/arch/x86_64/x86_64.h"

namespace photon_dmesg {
namespace {

struct Entry {
  Machine machine;
  std::uint16_t elf_machine;
  const Architecture& (*architecture)();
};

// The usual one first.
constexpr std::array table = {Entry{Machine::X86_64, EM_X86_64, x86_64::architecture},
                              Entry{Machine::Aarch64, EM_AARCH64, aarch64::architecture}};

}  // namespace

const Architecture& architecture_of(Machine machine) {
  for (const Entry& entry : table) {
    if (entry.machine == machine) return entry.architecture();
  }
  return table.front().architecture();
}

bool is_of(const Architecture& architecture, Machine machine) {
  return &architecture == &architecture_of(machine);
}

const Architecture* find_elf_architecture(std::uint16_t machine) {
  for (const Entry& entry : table) {
    if (entry.elf_machine == machine) return &entry.architecture();
  }
  return nullptr;
}

std::uint16_t elf_machine_of(const Architecture& architecture) {
  for (const Entry& entry : table) {
    if (&entry.architecture() == &architecture) return entry.elf_machine;
  }
  return EM_NONE;
}

std::span<const Architecture* const> architectures() {
  static const auto all = [] {
    std::array<const Architecture*, table.size()> found{};
    for (std::size_t i = 0; i < table.size(); ++i) found[i] = &table[i].architecture();
    return found;
  }();
  return all;
}

}  // namespace photon_dmesg
