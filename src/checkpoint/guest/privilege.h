#pragma once

#include <cstdint>

namespace photon_dmesg {

// Whether an x86-64 processor with that in CS is in user mode: the lowest two bits are its
// privilege level (AMD64 Architecture Programmer's Manual, volume 2, 4.6).
[[nodiscard]] constexpr bool is_user_code(std::uint16_t cs) {
  constexpr std::uint16_t privilege_level = 3;
  return (cs & privilege_level) != 0;
}

// Whether an arm64 processor with that in PSTATE is in user mode: bits 3 and 2 are its exception
// level (Arm Architecture Reference Manual, SPSR_EL1.M).
[[nodiscard]] constexpr bool is_user_state(std::uint64_t pstate) {
  constexpr std::uint64_t exception_level = 3U << 2U;
  return (pstate & exception_level) == 0;
}

}  // namespace photon_dmesg
