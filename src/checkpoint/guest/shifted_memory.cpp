#include "checkpoint/guest/shifted_memory.h"

#include <utility>

namespace photon_dmesg {

ShiftedMemory::ShiftedMemory(std::shared_ptr<const GuestMemory> memory, std::uint64_t shift)
    : memory_(std::move(memory)), shift_(shift), ranges_(memory_->ranges()) {
  for (PhysicalRange& range : ranges_) range.begin = range.begin + shift_;
}

bool ShiftedMemory::read(GuestPhysical address, std::span<std::byte> target) const {
  return memory_->read(address + (0 - shift_), target);
}

std::optional<GuestMemory::FilePlace> ShiftedMemory::find_in_file(GuestPhysical address) const {
  return memory_->find_in_file(address + (0 - shift_));
}

}  // namespace photon_dmesg
