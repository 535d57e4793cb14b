#pragma once

#include <cstdint>
#include <optional>

#include "kernel/find/guest_kernel.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// How far the guest's clocks had come when it stopped, in nanoseconds since boot: not all of them
// go on when CPUs hang, so that the latest one counts.
struct GuestTime {
  std::uint64_t now_nsec = 0;
  // Ticks a second (CONFIG_HZ), as jiffies and the other clocks tell; absent if they don't.
  std::optional<std::uint32_t> hz;
  std::uint64_t jiffies = 0;  // jiffies_64; means something where hz is known
  // What happened at `then`, a value of jiffies, is so long ago; nothing without hz. 0 for what
  // lies ahead.
  [[nodiscard]] std::optional<std::uint64_t> nsec_since_jiffies(std::uint64_t then) const;
};

// From the run queues' clocks, jiffies, the timekeeper (`monotonic_nsec`, if that was found) and
// the newest record's time stamp (0: none).
[[nodiscard]] GuestTime read_guest_time(const GuestKernel& kernel, const Cpus& cpus,
                                        std::optional<std::uint64_t> monotonic_nsec,
                                        std::uint64_t last_record_nsec);

}  // namespace photon_dmesg
