#pragma once

#include <cstdint>
#include <optional>

#include "checkpoint/guest/vcpu.h"

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

// Whether `vcpu` was in user mode; nothing if the checkpoint does not say.
[[nodiscard]] inline std::optional<bool> was_in_user_mode(const Vcpu& vcpu) {
  if (vcpu.machine == Machine::Aarch64) {
    return vcpu.arm64.pstate ? std::optional(is_user_state(*vcpu.arm64.pstate)) : std::nullopt;
  }
  return vcpu.x86.cs ? std::optional(is_user_code(*vcpu.x86.cs)) : std::nullopt;
}

}  // namespace photon_dmesg
