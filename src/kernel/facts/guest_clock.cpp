#include "kernel/facts/guest_clock.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/little_endian.h"
#include "kernel/memory/known_layouts.h"

namespace photon_dmesg {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

// tk_core: a sequence counter of 4 bytes, padded to 8, and the timekeeper.
constexpr std::uint64_t timekeeper_in_core = 8;

std::uint64_t load(std::span<const std::byte> bytes, std::uint64_t offset) {
  return load_unsigned(bytes.subspan(offset, sizeof(std::uint64_t)));
}

// wall_to_monotonic: seconds and nanoseconds to be added to the time of day to get the monotonic
// clock; the kernel keeps its negative as one number, offs_real.
struct WallToMonotonic {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;

  [[nodiscard]] bool is_possible() const {
    constexpr std::int64_t farthest = std::int64_t{1} << 32;  // 136 years
    return seconds > -farthest && seconds < farthest && nanoseconds >= 0 &&
           nanoseconds < nanoseconds_per_second;
  }
  [[nodiscard]] std::int64_t total() const {
    return seconds * nanoseconds_per_second + nanoseconds;
  }
};

WallToMonotonic load_wall_to_monotonic(std::span<const std::byte> bytes, std::uint64_t offset) {
  return {static_cast<std::int64_t>(load(bytes, offset)),
          static_cast<std::int64_t>(load(bytes, offset + sizeof(std::uint64_t)))};
}

// The clock of a timekeeper laid out so, if its sums are right: tk_update_ktime_data() in
// kernel/time/timekeeping.c makes them so with every update.
std::optional<GuestClock> parse_timekeeper(std::span<const std::byte> bytes,
                                           const TimekeeperLayout& layout) {
  if (bytes.size() < known_timekeeper_size) return std::nullopt;
  const WallToMonotonic wall = load_wall_to_monotonic(bytes, layout.wall_to_monotonic);
  const auto seconds = static_cast<std::int64_t>(load(bytes, layout.xtime_sec));
  const auto monotonic_seconds = static_cast<std::int64_t>(load(bytes, layout.ktime_sec));
  const auto offset = static_cast<std::int64_t>(load(bytes, layout.offs_real));
  const auto base = static_cast<std::int64_t>(load(bytes, layout.base));
  const std::uint64_t shift = load_unsigned(bytes.subspan(layout.shift, sizeof(std::uint32_t)));
  constexpr std::uint64_t most_bits = 63;
  if (!wall.is_possible() || !WallToMonotonic{seconds, 0}.is_possible() || seconds <= 0 ||
      shift > most_bits) {
    return std::nullopt;
  }
  const std::int64_t carry = monotonic_seconds - (seconds + wall.seconds);
  const bool sums_are_right = offset == -wall.total() && (carry == 0 || carry == 1) &&
                              base == seconds * nanoseconds_per_second + wall.total();
  if (!sums_are_right) return std::nullopt;
  const std::uint64_t nanoseconds = load(bytes, layout.xtime_nsec) >> shift;
  return GuestClock{offset,
                    seconds * nanoseconds_per_second + static_cast<std::int64_t>(nanoseconds)};
}

std::optional<GuestClock> parse_timekeeper(std::span<const std::byte> bytes) {
  for (const TimekeeperLayout& layout : known_timekeeper_layouts()) {
    if (auto clock = parse_timekeeper(bytes, layout)) return clock;
  }
  return std::nullopt;
}

std::optional<GuestClock> read_by_symbol(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> core = kernel.find_address("tk_core");
  if (!core) return std::nullopt;
  const GuestVirtual address = *core + timekeeper_in_core;
  std::vector<std::byte> bytes(known_timekeeper_size);
  const auto clock = kernel.memory().read(address, bytes) ? parse_timekeeper(bytes) : std::nullopt;
  if (clock)
    diagnostics.found({.what = "timekeeper at",
                       .value = fmt::format("{}", address),
                       .where = "clock",
                       .how = "in the variable tk_core"});
  return clock;
}

std::optional<GuestClock> read_by_form(const GuestKernel& kernel, Diagnostics& diagnostics) {
  std::optional<GuestClock> found;
  const auto visit = [&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (bytes.size() < known_timekeeper_size) return true;
    for (const TimekeeperLayout& layout : known_timekeeper_layouts()) {
      // Almost every place fails this first and cheap look.
      const WallToMonotonic wall = load_wall_to_monotonic(bytes, layout.wall_to_monotonic);
      if (wall.seconds == 0 || !wall.is_possible()) continue;
      if (auto clock = parse_timekeeper(bytes, layout)) {
        diagnostics.found({.what = "timekeeper at",
                           .value = fmt::format("{}", address),
                           .where = "clock",
                           .how = "by its form"});
        found = clock;
        return false;
      }
    }
    return true;
  };
  kernel.image().for_each_word(visit);
  return found;
}

}  // namespace

std::optional<GuestClock> read_guest_clock(const GuestKernel& kernel, Diagnostics& diagnostics) {
  std::optional<GuestClock> clock = read_by_symbol(kernel, diagnostics);
  if (!clock) clock = read_by_form(kernel, diagnostics);
  if (!clock) {
    diagnostics.found({.what = "no timekeeper",
                       .where = "clock",
                       .how = "none whose sums are right is in the kernel's memory"});
  }
  return clock;
}

}  // namespace photon_dmesg
