#include "checkpoint/guest/memory_image.h"

#include <algorithm>

namespace photon_dmesg {

bool MemoryImage::read(GuestPhysical address, std::span<std::byte> target) const {
  return unreadable_.read(address, target, [&](GuestPhysical at, std::span<std::byte> part) {
    return read_from_source(at, part);
  });
}

bool MemoryImage::read_from_source(GuestPhysical address, std::span<std::byte> target) const {
  while (!target.empty()) {
    const std::optional<MemoryLayout::Place> place = layout_.find(address);
    if (!place) {
      return false;
    }
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(target.size(), place->length));
    source_.read_at(base_ + place->image_offset, target.first(count));
    target = target.subspan(count);
    address = address + count;
  }
  return true;
}

std::optional<GuestMemory::FilePlace> MemoryImage::find_in_file(GuestPhysical address) const {
  const std::optional<MemoryLayout::Place> place = layout_.find(address);
  if (!place) return std::nullopt;
  return FilePlace{&source_, base_ + place->image_offset, place->length};
}

}  // namespace photon_dmesg
