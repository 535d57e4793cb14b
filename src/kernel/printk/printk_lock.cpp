#include "kernel/printk/printk_lock.h"

namespace photon_dmesg {

bool is_printk_lock_held(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> lock = kernel.find_address("logbuf_lock");
  if (!lock) return false;
  // A queued spinlock (4.2 and later on x86) is 0 when it is free. A ticket lock is when the ticket
  // that is served and the next to be drawn are the same, of which each has a half of it.
  constexpr unsigned half = 16;
  constexpr std::uint64_t half_mask = (std::uint64_t{1} << half) - 1;
  const std::uint64_t value = kernel.memory().read_unsigned(*lock, 4).value_or(0);
  return value >> half != (value & half_mask);
}

}  // namespace photon_dmesg
