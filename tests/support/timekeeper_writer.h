#pragma once

#include <cstdint>

#include "base/address.h"
#include "kernel/memory/known_layouts.h"

namespace photon_dmesg::test::timekeeper {

inline constexpr std::int64_t second = 1'000'000'000;
inline constexpr std::int64_t boot = 1'795'455'252 * second + 404'972'809;
inline constexpr std::int64_t uptime_seconds = 3600;
inline constexpr std::uint64_t shift = 23;
inline constexpr std::int64_t raw_seconds = uptime_seconds + 7;
inline constexpr std::int64_t slept = 11 * second;

// A timekeeper whose sums are right, laid out so, at `place`; the guest is a FixtureGuest or one
// that is asked alike.
template <typename Guest>
void write_timekeeper(Guest& guest, GuestPhysical place, const TimekeeperLayout& layout) {
  const auto write = [&](std::uint64_t offset, std::int64_t value) {
    guest.memory().write_value(place + offset, value);
  };
  const std::int64_t wall_seconds = -(boot / second) - 1;
  const std::int64_t wall_nanoseconds = second - boot % second;
  const std::int64_t now = boot / second + uptime_seconds;
  write(layout.xtime_sec, now);
  write(layout.ktime_sec, now + wall_seconds);
  write(layout.wall_to_monotonic, wall_seconds);
  write(layout.wall_to_monotonic + 8, wall_nanoseconds);
  write(layout.offs_real, boot);
  guest.memory().write_value(place + layout.shift, static_cast<std::uint32_t>(shift));
  write(layout.xtime_nsec, 250'000'000LL << shift);
  write(layout.base, (now + wall_seconds) * second + wall_nanoseconds);
  guest.memory().write_value(place + layout.tkr_raw + layout.shift,
                             static_cast<std::uint32_t>(shift));
  guest.memory().write_value(place + (layout.shift - 4), std::uint32_t{7'500'000});
  guest.memory().write_value(place + (layout.tkr_raw + layout.shift - 4), std::uint32_t{8'000'000});
  write(layout.tkr_raw + layout.xtime_nsec, 500'000'000LL << shift);
  write(layout.tkr_raw + layout.base, raw_seconds * second);
  write(layout.offs_boot, slept);
}

}  // namespace photon_dmesg::test::timekeeper
