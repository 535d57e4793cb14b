#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

std::uint64_t GuestMemory::size() const {
  std::uint64_t total = 0;
  for (const PhysicalRange& range : ranges()) {
    total += range.size;
  }
  return total;
}

}  // namespace photon_dmesg
