#pragma once

#include <cstdint>
#include <optional>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// The guest's own idea of the time of day, from its timekeeper in memory.
struct GuestClock {
  // What is to be added to a record's ts_nsec to get nanoseconds since 1970, UTC. As dmesg -T:
  // exact only as far as local_clock() and the monotonic clock run alike.
  std::int64_t realtime_offset_nsec = 0;
  // When the kernel last moved its clock on, at most one tick before the guest stopped, or longer
  // if every CPU was idle. Nanoseconds since 1970, UTC.
  std::int64_t last_update_nsec = 0;
};

// Finds the timekeeper by the symbol tk_core, or by its form: the sums that its members make up
// prove it. Nothing, with the reason noted, if there is none whose sums are right.
[[nodiscard]] std::optional<GuestClock> read_guest_clock(const GuestKernel& kernel,
                                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
