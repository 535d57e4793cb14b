#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace photon_dmesg {

// How far a reference of FastLZ level 2 reaches back at most.
inline constexpr std::size_t fastlz_reach = 8191 + 65535 + 1;

enum class FastlzResult { Complete, NeedsBefore, Damaged };

// Unpacks FastLZ level 2 (the format's own description, github.com/ariya/FastLZ) into `target`,
// which it must fill exactly. References may reach into `before`, the bytes in front of `target`;
// what lies further back than they go makes it NeedsBefore, and reads as zeros if
// `zeros_in_front` says that there is nothing there.
[[nodiscard]] FastlzResult unpack_fastlz(std::span<const std::byte> packed,
                                         std::span<const std::byte> before, bool zeros_in_front,
                                         std::span<std::byte> target);

}  // namespace photon_dmesg
