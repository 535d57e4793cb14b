#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/memory_pages.h"

namespace photon_dmesg::test {

struct GuestHole {
  std::uint64_t ppn;
  std::uint64_t pages;
};

// debug.guest as the crash utility's reader takes it, with its numbers and not the program's table.
struct DebugGuestForm {
  std::uint32_t version;
  std::uint64_t memory_at;
  std::uint64_t first_vcpu_at;
  std::uint64_t gap;
  bool narrow;
};

inline constexpr std::array debug_guest_forms = {
    DebugGuestForm{1, 21, 61, 45, true},  DebugGuestForm{3, 22, 78, 45, false},
    DebugGuestForm{4, 22, 78, 42, false}, DebugGuestForm{5, 22, 78, 42, false},
    DebugGuestForm{6, 23, 79, 42, false}, DebugGuestForm{7, 16, 83, 42, false}};

inline std::string debug_guest(const DebugGuestForm& layout, std::uint32_t vcpus,
                               std::uint64_t pages, const std::vector<GuestHole>& holes = {}) {
  const std::size_t width = layout.narrow ? 4 : 8;
  std::string file = little_endian(layout.version, 4) + little_endian(vcpus, 4);
  file.resize(layout.memory_at, '\0');
  std::uint64_t total = pages;
  for (const GuestHole& hole : holes) total += hole.pages;
  file += little_endian(total * page - 1, 8) + little_endian(pages, width) + little_endian(0, 4) +
          little_endian(holes.size(), 4);
  for (std::size_t i = 0; i < 2; ++i) {
    const GuestHole hole = i < holes.size() ? holes[i] : GuestHole{0, 0};
    file += little_endian(hole.ppn, width) + little_endian(hole.pages, width);
  }
  if (layout.version == 7) file += little_endian(1, 4);
  file.resize(layout.first_vcpu_at + (layout.narrow ? 8 * holes.size() : 0), '\0');
  for (std::uint32_t i = 0; i < vcpus; ++i) {
    std::string vcpu = little_endian(0x80050033, 4);
    for (const std::uint64_t number : {2U, 3U, 4U}) vcpu += little_endian(0x1000 * number + i, 8);
    vcpu += std::string(80, '\0') + little_endian(0xfffffe0000000000, 8);
    vcpu.resize(116 + layout.gap, '\0');
    for (std::uint64_t reg = 0; reg < 27; ++reg) vcpu += little_endian(0x100 * (i + 1) + reg, 8);
    vcpu += std::string(17 + 4096, '\0');
    file += vcpu;
  }
  return file;
}

}  // namespace photon_dmesg::test
