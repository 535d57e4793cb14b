#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace photon_dmesg {

// What a guest's clocks showed when it stopped, nanoseconds since boot.
struct ClockReadings {
  std::vector<std::uint64_t> clocks;
  std::vector<std::uint64_t> witnesses;  // times that were taken from one of them
};

// The latest clock: not all of them go on when CPUs hang. As a damaged one may show anything, one
// counts only if another clock or a witness shows the same to a few seconds. Nothing if none does.
[[nodiscard]] std::optional<std::uint64_t> latest_confirmed(const ClockReadings& readings);

}  // namespace photon_dmesg
