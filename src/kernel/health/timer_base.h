#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "kernel/health/reading.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// hrtimer_bases.expires_next of the CPU `number`, whose per-CPU variables begin at `area`, found by
// its form where no symbol and no type tell: a structure with the CPU's number, whose clocks point
// back to it and are numbered, and whose next timer is due when it says (struct hrtimer_cpu_base,
// 4.16 and later). Nothing if there is none, if no timer is set, or if the CPU does without high
// resolution.
[[nodiscard]] std::optional<Reading> find_timer_due(const KernelMemory& memory, GuestVirtual area,
                                                    std::uint32_t number);

}  // namespace photon_dmesg
