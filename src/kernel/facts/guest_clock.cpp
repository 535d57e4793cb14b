#include "kernel/facts/guest_clock.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/little_endian.h"
#include "kernel/facts/printk_clock.h"
#include "kernel/memory/known_layouts.h"

namespace photon_dmesg {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

// tk_core, and each of timekeeper_data: a sequence counter of 4 bytes, padded to 8, and the
// timekeeper.
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

// A struct tk_read_base: a clock's nanoseconds at the last update, whole seconds and the rest
// apart.
struct ReadBase {
  std::int64_t base = 0;
  std::int64_t rest = 0;
};

// Nothing if the rest is none: the kernel carries whole seconds over with every update.
std::optional<ReadBase> load_read_base(std::span<const std::byte> bytes, std::uint64_t offset,
                                       const TimekeeperLayout& layout) {
  constexpr std::uint64_t most_bits = 32;  // clocks_calc_mult_shift() begins there, and goes down
  const std::uint64_t shift =
      load_unsigned(bytes.subspan(offset + layout.shift, sizeof(std::uint32_t)));
  if (shift > most_bits) return std::nullopt;
  const std::uint64_t rest = load(bytes, offset + layout.xtime_nsec) >> shift;
  if (rest > 2 * nanoseconds_per_second) return std::nullopt;
  return ReadBase{static_cast<std::int64_t>(load(bytes, offset + layout.base)),
                  static_cast<std::int64_t>(rest)};
}

// CLOCK_MONOTONIC_RAW, if it can be: adjtimex(2) slews by a tenth at most.
std::optional<std::int64_t> load_raw(std::span<const std::byte> bytes,
                                     const TimekeeperLayout& layout, std::int64_t monotonic) {
  const std::optional<ReadBase> raw = load_read_base(bytes, layout.tkr_raw, layout);
  constexpr std::int64_t longest = std::int64_t{1} << 61;  // 73 years of uptime
  if (monotonic < 0 || monotonic > longest) return std::nullopt;
  const std::int64_t farthest = monotonic / 8 + nanoseconds_per_second;
  if (!raw || raw->base < monotonic - farthest || raw->base > monotonic + farthest) {
    return std::nullopt;
  }
  return raw->base + raw->rest;
}

// By which part the monotonic clock goes slower than the raw clock: both count the same cycles.
double load_slew_rate(std::span<const std::byte> bytes, const TimekeeperLayout& layout) {
  const auto multiplier = [&](std::uint64_t read_base) {  // `mult`, which stands before `shift`
    const std::uint64_t at = read_base + layout.shift - sizeof(std::uint32_t);
    return static_cast<double>(load_unsigned(bytes.subspan(at, sizeof(std::uint32_t))));
  };
  const double raw = multiplier(layout.tkr_raw);
  return raw > 0 ? 1 - multiplier(0) / raw : 0;
}

// offs_boot, if it can be.
std::optional<std::int64_t> load_sleep(std::span<const std::byte> bytes,
                                       const TimekeeperLayout& layout, std::int64_t since_1970) {
  const auto sleep = static_cast<std::int64_t>(load(bytes, layout.offs_boot));
  return sleep >= 0 && sleep < since_1970 ? std::optional(sleep) : std::nullopt;
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
  if (!wall.is_possible() || !WallToMonotonic{seconds, 0}.is_possible() || seconds <= 0) {
    return std::nullopt;
  }
  const std::optional<ReadBase> monotonic = load_read_base(bytes, 0, layout);
  const bool carry_is_right = monotonic_seconds == seconds + wall.seconds ||
                              monotonic_seconds == seconds + wall.seconds + 1;
  if (!monotonic || !carry_is_right || offset != -wall.total() ||
      monotonic->base != seconds * nanoseconds_per_second + wall.total()) {
    return std::nullopt;
  }
  GuestClock clock;
  clock.realtime_offset_nsec = offset;
  clock.last_update_nsec = seconds * nanoseconds_per_second + monotonic->rest;
  clock.raw_nsec = load_raw(bytes, layout, clock.monotonic_nsec());
  clock.slew_rate = load_slew_rate(bytes, layout);
  clock.sleep_nsec = load_sleep(bytes, layout, clock.last_update_nsec);
  clock.clock_source = load(bytes, 0);  // the first member of all, a pointer
  clock.cycles = load(bytes, layout.cycle_last);
  return clock;
}

std::optional<GuestClock> parse_timekeeper(std::span<const std::byte> bytes) {
  for (const TimekeeperLayout& layout : known_timekeeper_layouts()) {
    if (auto clock = parse_timekeeper(bytes, layout)) return clock;
  }
  return std::nullopt;
}

// Since 6.17 there are several, the first of which is the system's own.
std::optional<GuestClock> read_by_symbol(const GuestKernel& kernel, Diagnostics& diagnostics) {
  for (const char* name : {"tk_core", "timekeeper_data"}) {
    const std::optional<GuestVirtual> core = kernel.find_address(name);
    if (!core) continue;
    const GuestVirtual address = *core + timekeeper_in_core;
    std::vector<std::byte> bytes(known_timekeeper_size);
    if (!kernel.memory().read(address, bytes)) continue;
    auto clock = parse_timekeeper(bytes);
    if (!clock) continue;
    diagnostics.found({.what = "timekeeper at",
                       .value = fmt::format("{}", address),
                       .where = "clock",
                       .how = fmt::format("in the variable {}", name)});
    return clock;
  }
  return std::nullopt;
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

void note(Diagnostics& diagnostics, const char* what,
          const std::optional<std::int64_t>& nanoseconds) {
  diagnostics.found({.what = what,
                     .value = nanoseconds ? fmt::format("{} ns", *nanoseconds) : "not known",
                     .where = "clock"});
}

}  // namespace

std::optional<GuestClock> read_guest_clock(const GuestKernel& kernel, Diagnostics& diagnostics) {
  std::optional<GuestClock> clock = read_by_symbol(kernel, diagnostics);
  if (!clock) clock = read_by_form(kernel, diagnostics);
  if (!clock) {
    diagnostics.found({.what = "no timekeeper",
                       .where = "clock",
                       .how = "none whose sums are right is in the kernel's memory"});
    return clock;
  }
  read_printk_clock(kernel, *clock);
  note(diagnostics, "raw clock", clock->raw_nsec);
  note(diagnostics, "sleep", clock->sleep_nsec);
  note(diagnostics, "printk's clock, by the kernel's variables, is ahead by",
       clock->printk_ahead_nsec);
  note(diagnostics, "printk's clock, by VMware's TSC", clock->printk_nsec);
  return clock;
}

}  // namespace photon_dmesg
