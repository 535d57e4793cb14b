#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace photon_dmesg::test {

// Bytes that don't pack; the same for the same `state`.
inline std::string noise(std::size_t size, std::uint32_t state = 1) {
  std::string bytes;
  while (bytes.size() < size) {
    bytes += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  }
  return bytes;
}

}  // namespace photon_dmesg::test
