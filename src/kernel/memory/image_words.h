#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernel/memory/image_ranges.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// Calls visit(address, bytes) for each aligned word of the kernel image, with what follows it in
// its range: data first, then what is read-only, since variables may be sealed after boot.
template <typename Visit>
void for_each_word(const KernelMemory& memory, const ImageRanges& image, Visit visit) {
  constexpr std::uint64_t word = sizeof(std::uint64_t);
  for (const std::vector<ImageRange>* ranges : {&image.other, &image.read_only}) {
    for (const ImageRange& range : *ranges) {
      std::vector<std::byte> bytes(range.size);
      if (!memory.read(range.begin, bytes)) continue;
      for (std::uint64_t at = 0; at + word <= bytes.size(); at += word) {
        visit(range.begin + at, std::span<const std::byte>(bytes).subspan(at));
      }
    }
  }
}

}  // namespace photon_dmesg
