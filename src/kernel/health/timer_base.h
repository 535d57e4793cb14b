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
// 4.16 and later). Its time is absent if no timer is set, or if the CPU does without high
// resolution.
struct CpuTimers {
  bool are_found = false;
  std::optional<Reading> due;
  std::optional<Reading> served;  // as read_served_timer() has it
};
[[nodiscard]] CpuTimers find_timers(const KernelMemory& memory, GuestVirtual area,
                                    std::uint32_t number);

// When the timer was due whose function the CPU's timer interrupt is in, by CLOCK_MONOTONIC, whose
// struct hrtimer_clock_base is at `clock`: only a timer of that clock is told. `running`: where the
// pointer to it stands; since 4.16 each clock has its own. Nothing if it is in none.
[[nodiscard]] std::optional<Reading> read_served_timer(
    const KernelMemory& memory, GuestVirtual clock,
    std::optional<GuestVirtual> running = std::nullopt);

}  // namespace photon_dmesg
