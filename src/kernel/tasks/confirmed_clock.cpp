#include "kernel/tasks/confirmed_clock.h"

#include <algorithm>

namespace photon_dmesg {
namespace {

// By how much clocks may differ that go on: CPUs are idle for as long, and do not look at theirs.
constexpr std::uint64_t tolerance_nsec = 5'000'000'000;

std::ptrdiff_t count_near(const std::vector<std::uint64_t>& readings, std::uint64_t clock) {
  return std::count_if(readings.begin(), readings.end(), [&](std::uint64_t other) {
    return std::max(other, clock) - std::min(other, clock) <= tolerance_nsec;
  });
}

}  // namespace

std::optional<std::uint64_t> latest_confirmed(const ClockReadings& readings) {
  std::optional<std::uint64_t> latest;
  for (const std::uint64_t clock : readings.clocks) {
    const std::ptrdiff_t near =
        count_near(readings.clocks, clock) + count_near(readings.witnesses, clock);
    const bool is_confirmed = near > 1;  // itself is one
    if (is_confirmed) latest = std::max(latest.value_or(0), clock);
  }
  return latest;
}

}  // namespace photon_dmesg
