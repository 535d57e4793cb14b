#pragma once

#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/find/running_kernel.h"

namespace photon_dmesg {

// A machine's memory as the kernel in it proves that it lies.
struct PlacedMemory {
  std::unique_ptr<GuestMemory> memory;
  RunningKernel kernel;
  const char* how;  // it was found, as evidence has it
};

// Finds where a machine's RAM begins, of which `readings` are ways to read it: the same range of
// bytes, each time from another address on. Where none of them has a kernel, the address follows
// from what looks like a kernel's page tables, if these lead to each other when it is assumed, and
// map a kernel then. Nothing if there is none. All memory is looked through once, for banners;
// what is near these, once for each address.
[[nodiscard]] std::optional<PlacedMemory> find_ram_base(
    std::vector<std::unique_ptr<GuestMemory>> readings, Diagnostics& diagnostics);

}  // namespace photon_dmesg
