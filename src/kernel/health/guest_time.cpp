#include "kernel/health/guest_time.h"

#include <algorithm>
#include <array>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t nsec_per_second = 1'000'000'000;

// jiffies_64 begins five minutes before it would overflow as 32 bits (INITIAL_JIFFIES), whatever
// HZ is.
std::uint64_t initial_jiffies(std::uint32_t hz) {
  constexpr std::uint32_t seconds = 300;
  return static_cast<std::uint32_t>(0U - seconds * hz);
}

std::uint64_t uptime_nsec(std::uint64_t jiffies, std::uint32_t hz) {
  const std::uint64_t ticks = jiffies - initial_jiffies(hz);
  return ticks / hz * nsec_per_second + ticks % hz * nsec_per_second / hz;
}

// The HZ by which jiffies agree with a clock: to a tenth, as a guest may have slept or its ticks
// may have been lost, and any two that a kernel can have differ by more.
std::optional<std::uint32_t> find_hz(std::uint64_t jiffies, std::uint64_t now_nsec) {
  constexpr std::array<std::uint32_t, 4> possible = {100, 250, 300, 1000};
  constexpr std::uint64_t tolerance = nsec_per_second;  // jiffies begin before the other clocks
  constexpr std::uint64_t longest = std::uint64_t{1} << 61U;
  for (const std::uint32_t hz : possible) {
    const std::uint64_t ticks = jiffies - initial_jiffies(hz);
    if (ticks / hz > longest / nsec_per_second) continue;
    const std::uint64_t uptime = uptime_nsec(jiffies, hz);
    const std::uint64_t difference = std::max(uptime, now_nsec) - std::min(uptime, now_nsec);
    if (difference <= now_nsec / 10 + tolerance) return hz;
  }
  return std::nullopt;
}

// Where no clock confirms another, the timekeeper is the one that has been looked at most closely.
std::uint64_t find_clock(const Cpus& cpus, const KnownTimes& known) {
  ClockReadings readings = cpus.clocks();
  if (known.last_update_nsec) readings.clocks.push_back(*known.last_update_nsec);
  // That a task got a CPU about when the last record was logged does not make that the end: the
  // guest may have been silent ever since. So it is a witness only.
  readings.witnesses.insert(readings.witnesses.end(), known.scheduled_nsec.begin(),
                            known.scheduled_nsec.end());
  if (known.last_record_nsec) readings.witnesses.push_back(*known.last_record_nsec);
  if (const auto now = latest_confirmed(readings)) return *now;
  if (known.last_update_nsec) return *known.last_update_nsec;
  if (const auto now = cpus.now_nsec()) return *now;
  return known.last_record_nsec.value_or(0);
}

// A record may be a little later than the clocks, which CPUs do not look at all the time; one that
// is much later is damaged.
std::uint64_t find_now(const Cpus& cpus, const KnownTimes& known) {
  constexpr std::uint64_t tolerance = 5 * nsec_per_second;
  const std::uint64_t now = find_clock(cpus, known);
  const std::uint64_t record = known.last_record_nsec.value_or(0);
  return record > now && record - now <= tolerance ? record : now;
}

}  // namespace

std::optional<std::uint64_t> GuestTime::nsec_since_jiffies(std::uint64_t then) const {
  if (!hz) return std::nullopt;
  const auto ticks = static_cast<std::int64_t>(jiffies - then);
  if (ticks <= 0) return 0;
  const auto count = static_cast<std::uint64_t>(ticks);
  return count / *hz * nsec_per_second + count % *hz * nsec_per_second / *hz;
}

GuestTime read_guest_time(const GuestKernel& kernel, const Cpus& cpus, const KnownTimes& known) {
  GuestTime time;
  time.now_nsec = find_now(cpus, known);
  time.monotonic_nsec = known.monotonic ? known.monotonic(time.now_nsec) : time.now_nsec;
  auto at = kernel.find_address("jiffies_64");
  if (!at) at = kernel.find_address("jiffies");
  const auto jiffies =
      at ? kernel.memory().read_unsigned(*at, sizeof(std::uint64_t)) : std::nullopt;
  if (!jiffies) return time;
  time.jiffies = *jiffies;
  time.hz = find_hz(*jiffies, time.now_nsec);
  return time;
}

}  // namespace photon_dmesg
