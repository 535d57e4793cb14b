#pragma once

#include <cstddef>
#include <span>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// Fills `target` from `begin` with what can be read; each page of it that can't is zeros.
void read_by_pages(const KernelMemory& memory, GuestVirtual begin, std::span<std::byte> target);

}  // namespace photon_dmesg
