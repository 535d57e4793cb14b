#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace photon_dmesg {

[[nodiscard]] inline std::uint64_t load_u64(std::span<const std::byte, 8> bytes) {
  // Written so that compilers see one load.
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint64_t>(bytes[i]); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24 | byte(4) << 32 | byte(5) << 40 |
         byte(6) << 48 | byte(7) << 56;
}

// The number whose little-endian bytes are `bytes` (at most 8; fewer are zero-extended).
[[nodiscard]] inline std::uint64_t load_unsigned(std::span<const std::byte> bytes) {
  if (bytes.size() == sizeof(std::uint64_t)) return load_u64(bytes.first<sizeof(std::uint64_t)>());
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

}  // namespace photon_dmesg
