#pragma once

#include <cstdint>
#include <string>

#include "support/bytes.h"

namespace photon_dmesg::test {

// A range of memory as LiME writes it, from physical `first` on.
inline std::string lime_range(std::uint64_t first, const std::string& memory) {
  return little_endian(0x4c694d45, 4) + little_endian(1, 4) + little_endian(first, 8) +
         little_endian(first + memory.size() - 1, 8) + little_endian(0, 8) + memory;
}

}  // namespace photon_dmesg::test
