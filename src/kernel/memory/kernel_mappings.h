#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg {

// Guest-virtual memory that lies in one piece in guest-physical memory too.
struct Mapping {
  GuestVirtual virtual_address;
  GuestPhysical physical_address;
  std::uint64_t size = 0;  // bytes
};

// The kernel's half of an address space.
struct KernelMappings {
  // Where the kernel has all of RAM mapped, in order: the address of physical 0 (page_offset_base).
  // Nothing if no such mapping is there.
  std::optional<GuestVirtual> direct_map;

  // Everything else that is mapped to RAM, ascending: the image, modules, vmalloc, the page array.
  std::vector<Mapping> others;
};

// Walks `tables`. What leads outside `memory` (devices) is left out, and so are the stacks for
// returning to 16-bit code, which are mapped some ten thousand times over. A kernel has its RAM
// mapped once, and parts of it once more (vmalloc); what comes when all of it has been four times
// is left out with a warning.
[[nodiscard]] KernelMappings find_kernel_mappings(const PageTables& tables,
                                                  const GuestMemory& memory,
                                                  Diagnostics& diagnostics);

}  // namespace photon_dmesg
