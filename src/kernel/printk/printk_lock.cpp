#include "kernel/printk/printk_lock.h"

namespace photon_dmesg {

bool is_printk_lock_held(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> lock = kernel.find_address("logbuf_lock");
  if (!lock) return false;
  // A queued spinlock (4.2 and later on x86) is 0 when it is free. A ticket lock is free when the
  // ticket that is served and the next to be drawn are the same: of 16 bits each, or of 8 where
  // the kernel is for fewer than 256 CPUs.
  const std::uint64_t value = kernel.memory().read_unsigned(*lock, 4).value_or(0);
  const std::uint64_t low = value & 0xffff;
  constexpr std::uint64_t locked_and_pending = 0x101;  // of a queued one, which looks like tickets
  const bool is_free_of_8 = value == low && low >> 8 == (low & 0xff) && low != locked_and_pending;
  const bool is_free_of_16 = value >> 16 == low;
  return !is_free_of_8 && !is_free_of_16;
}

}  // namespace photon_dmesg
