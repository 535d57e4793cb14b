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

// Whether `vcpu` was in user mode; nothing if the checkpoint does not say.
[[nodiscard]] inline std::optional<bool> was_in_user_mode(const Vcpu& vcpu) {
  return vcpu.x86.cs ? std::optional(is_user_code(*vcpu.x86.cs)) : std::nullopt;
}

}  // namespace photon_dmesg
