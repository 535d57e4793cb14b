#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/architecture.h"

// The kernel's own page tables: see the functions of the same names of Architecture.
namespace photon_dmesg::aarch64 {

[[nodiscard]] std::vector<PageTables> possible_kernel_tables(const GuestMemory& memory,
                                                             GuestPhysical root);

[[nodiscard]] std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                                      const Architecture::FindSymbol& find,
                                                      GuestVirtual text);

[[nodiscard]] std::optional<PageTables> dumped_kernel_tables(
    const GuestMemory& memory, GuestPhysical root, const Architecture::DumpEntries& entries);

[[nodiscard]] Architecture::DumpEntries dump_entries(const PageTables& tables, std::uint64_t place);

// By TTBR1_EL1. With kernel and user separated (KPTI) that may be the trampoline's table, some
// pages before the kernel's own, which maps nothing but the vectors.
[[nodiscard]] std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory, const Vcpu& vcpu);

}  // namespace photon_dmesg::aarch64
