#pragma once

#include <optional>
#include <vector>

#include "kernel/arch/architecture.h"

// The kernel's own page tables: see the functions of the same names of Architecture.
namespace photon_dmesg::x86_64 {

[[nodiscard]] std::vector<PageTables> possible_kernel_tables(const GuestMemory& memory,
                                                             GuestPhysical root);

[[nodiscard]] std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                                      const Architecture::FindSymbol& find);

[[nodiscard]] std::optional<PageTables> dumped_kernel_tables(
    const GuestMemory& memory, GuestPhysical root, const Architecture::DumpEntries& entries);

}  // namespace photon_dmesg::x86_64
