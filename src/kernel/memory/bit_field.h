#pragma once

#include <cstdint>

namespace photon_dmesg {

// Of a number the `width` bits from bit `shift` on, which lie in it; all of it where `width` is 0,
// which no bit field is.
constexpr std::uint64_t take_bits(std::uint64_t number, unsigned shift, unsigned width) {
  constexpr unsigned all = 64;
  if (width == 0 || width >= all) return number;
  return number >> shift & ((std::uint64_t{1} << width) - 1);
}

}  // namespace photon_dmesg
