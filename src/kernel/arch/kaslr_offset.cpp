#include "kernel/arch/kaslr_offset.h"

namespace photon_dmesg {

bool is_possible_kaslr_offset(std::uint64_t offset, const Architecture::MemoryMap& map) {
  return offset < map.image.end - map.image.begin && offset % map.image_alignment == 0;
}

std::uint64_t kaslr_offset_of(std::uint64_t distance, const Architecture::MemoryMap& map) {
  return is_possible_kaslr_offset(distance, map) ? distance : 0;
}

}  // namespace photon_dmesg
