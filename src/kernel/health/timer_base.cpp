#include "kernel/health/timer_base.h"

#include <span>
#include <vector>

#include "base/little_endian.h"
#include "kernel/tasks/per_cpu_areas.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t half = sizeof(std::uint32_t);

// Of struct hrtimer_cpu_base and the array of struct hrtimer_clock_base in it, both aligned to
// cache lines (include/linux/hrtimer_defs.h).
constexpr std::uint64_t cache_line = 64;
constexpr std::uint64_t cpu_place = 4;
constexpr std::uint64_t flags_place = 16;
constexpr std::uint64_t high_resolution_active = 1;
constexpr std::uint64_t first_time = 24;  // that may be expires_next, before next_timer
constexpr std::uint64_t index_place = 8;  // behind what points back
constexpr std::uint64_t running_place = 24;
constexpr std::uint64_t fewest_clocks = 4;

// Of struct hrtimer.
constexpr std::uint64_t expires_place = 24;
constexpr std::uint64_t base_place = 48;

struct TimerBase {
  std::uint64_t place = 0;   // in the area
  std::uint64_t clocks = 0;  // from there
};

std::uint64_t number_at(std::span<const std::byte> bytes, std::uint64_t place,
                        std::uint64_t width = word) {
  return load_unsigned(bytes.subspan(place, width));
}

bool has_clocks(std::span<const std::byte> area, std::uint64_t clocks, std::uint64_t base) {
  for (std::uint64_t index = 0; index < fewest_clocks; ++index) {
    const std::uint64_t clock = clocks + index * cache_line;
    if (clock + cache_line > area.size() || number_at(area, clock) != base ||
        number_at(area, clock + index_place, half) != index) {
      return false;
    }
  }
  return true;
}

std::optional<TimerBase> find_base(std::span<const std::byte> bytes, GuestVirtual area,
                                   std::uint32_t number) {
  std::optional<TimerBase> found;
  for (std::uint64_t place = 0; place + cache_line <= bytes.size(); place += cache_line) {
    if (number_at(bytes, place + cpu_place, half) != number) continue;
    for (const std::uint64_t clocks : {cache_line, 2 * cache_line}) {
      if (!has_clocks(bytes, place + clocks, (area + place).value)) continue;
      if (found) return std::nullopt;
      found = TimerBase{place, clocks};
    }
  }
  return found;
}

// Whether the timer there is of this base, and is due at `expires`.
bool is_timer(const KernelMemory& memory, GuestVirtual timer, std::uint64_t expires,
              GuestVirtual clocks) {
  if (memory.read_unsigned(timer + expires_place, word) != expires) return false;
  const auto clock = memory.read_unsigned(timer + base_place, word);
  constexpr std::uint64_t most_clocks = 8;
  return clock && *clock - clocks.value < most_clocks * cache_line &&
         (*clock - clocks.value) % cache_line == 0;
}

}  // namespace

std::optional<Reading> read_served_timer(const KernelMemory& memory, GuestVirtual clock,
                                         std::optional<GuestVirtual> running) {
  const auto timer = memory.read_unsigned(running.value_or(clock + running_place), word);
  if (timer.value_or(0) == 0) return std::nullopt;
  if (memory.read_unsigned({*timer + base_place}, word) != clock.value) return std::nullopt;
  const GuestVirtual place{*timer + expires_place};
  const auto expires = memory.read_unsigned(place, word);
  if (!expires) return std::nullopt;
  return Reading{"hrtimer.node.expires", place, *expires};
}

CpuTimers find_timers(const KernelMemory& memory, GuestVirtual area, std::uint32_t number) {
  const std::vector<std::byte> bytes = read_per_cpu_area(memory, area);
  const auto base = find_base(bytes, area, number);
  if (!base) return {};
  const GuestVirtual clocks = area + base->place + base->clocks;
  CpuTimers found;
  found.are_found = true;
  found.served = read_served_timer(memory, clocks);
  if ((number_at(bytes, base->place + flags_place, half) & high_resolution_active) == 0) {
    return found;
  }
  for (std::uint64_t time = first_time; time + 2 * word <= base->clocks; time += word) {
    const std::uint64_t place = base->place + time;
    const std::uint64_t expires = number_at(bytes, place);
    if (!is_timer(memory, {number_at(bytes, place + word)}, expires, clocks)) continue;
    found.due = Reading{"hrtimer_bases.expires_next", area + place, expires};
    break;
  }
  return found;
}

}  // namespace photon_dmesg
