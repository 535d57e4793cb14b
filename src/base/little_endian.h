#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace photon_dmesg {

// The number whose little-endian bytes are `bytes` (at most 8; fewer are zero-extended).
[[nodiscard]] inline std::uint64_t load_unsigned(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

[[nodiscard]] inline std::uint64_t load_u64(std::span<const std::byte, 8> bytes) {
  return load_unsigned(bytes);
}

}  // namespace photon_dmesg
