#pragma once

#include <cstdint>
#include <span>

#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/architecture.h"

namespace photon_dmesg {

// The architecture of `machine`; lives as long as the program.
[[nodiscard]] const Architecture& architecture_of(Machine machine);

// Whether `architecture` is that of `machine`.
[[nodiscard]] bool is_of(const Architecture& architecture, Machine machine);

// The one whose executables have `machine` (EM_*) in their ELF header; null if there is none.
[[nodiscard]] const Architecture* find_elf_architecture(std::uint16_t machine);

// The other way round; 0 of none that is known.
[[nodiscard]] std::uint16_t elf_machine_of(const Architecture& architecture);

// All that there are: where no vCPU and no file tells which it is, each is tried.
[[nodiscard]] std::span<const Architecture* const> architectures();

}  // namespace photon_dmesg
