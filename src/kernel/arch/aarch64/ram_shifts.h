#pragma once

#include <cstdint>
#include <vector>

#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg::aarch64 {

// Architecture::possible_ram_shifts(). An image holds the tables by which its fixed addresses are
// mapped, and those that map it where it lies: one leads to the other by physical addresses, all of
// which are higher than where `memory` has these tables by the same distance.
[[nodiscard]] std::vector<std::uint64_t> possible_ram_shifts(const GuestMemory& memory,
                                                             const PhysicalRange& range);

}  // namespace photon_dmesg::aarch64
