#include "kernel/facts/printk_clock.h"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

std::optional<std::int64_t> read_number(const GuestKernel& kernel, std::string_view symbol,
                                        std::size_t width) {
  const std::optional<GuestVirtual> address = kernel.find_address(symbol);
  std::array<std::byte, sizeof(std::int64_t)> bytes{};
  if (!address || !kernel.memory().read(*address, std::span(bytes).first(width))) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(load_unsigned(bytes));
}

// struct cyc2ns_data (arch/x86/include/asm/timer.h): how cycles become nanoseconds.
struct CycleScale {
  std::uint64_t multiplier = 0;  // of 32 bits
  std::uint64_t shift = 0;
  std::uint64_t offset = 0;

  // As mul_u64_u32_shr() of include/linux/math64.h, for shifts of at most 32.
  [[nodiscard]] std::uint64_t apply(std::uint64_t cycles) const {
    constexpr unsigned half = 32;
    constexpr std::uint64_t low_half = 0xffffffff;
    return ((cycles & low_half) * multiplier >> shift) +
           ((cycles >> half) * multiplier << (half - shift));
  }
};

// vmware_cyc2ns of arch/x86/kernel/cpu/vmware.c, of which the offset is to be subtracted. It is
// empty where the guest is another hypervisor's, or takes the TSC as it is.
std::optional<CycleScale> read_vmware_scale(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> address = kernel.find_address("vmware_cyc2ns");
  std::array<std::byte, 16> bytes{};
  if (!address || !kernel.memory().read(*address, bytes)) return std::nullopt;
  const std::span<const std::byte> all(bytes);
  const CycleScale scale{load_unsigned(all.first(4)), load_unsigned(all.subspan(4, 4)),
                         load_unsigned(all.subspan(8, 8))};
  constexpr std::uint64_t most_bits = 32;
  if (scale.multiplier == 0 || scale.shift > most_bits) return std::nullopt;
  return scale;
}

// local_clock() at the last update: vmware_sched_clock() and what makes it go on evenly.
std::optional<std::int64_t> read_vmware_clock(const GuestKernel& kernel, const GuestClock& clock) {
  const std::optional<GuestVirtual> tsc = kernel.find_address("clocksource_tsc");
  const std::optional<CycleScale> scale = read_vmware_scale(kernel);
  const auto offset = read_number(kernel, "__sched_clock_offset", sizeof(std::int64_t));
  if (!tsc || tsc->value != clock.clock_source || !scale || !offset) return std::nullopt;
  return static_cast<std::int64_t>(scale->apply(clock.cycles) - scale->offset +
                                   static_cast<std::uint64_t>(*offset));
}

}  // namespace

// __sched_clock_stable is a static key; __gtod_offset is local_clock() less CLOCK_MONOTONIC, as
// taken early in boot, or by every round of the watchdog of kernel/time/clocksource.c if that runs.
void read_printk_clock(const GuestKernel& kernel, GuestClock& clock) {
  constexpr std::int64_t farthest = 600'000'000'000;  // ten minutes: a boot takes less
  if (const auto stable = read_number(kernel, "__sched_clock_stable", sizeof(std::int32_t))) {
    clock.printk_follows_raw = *stable != 0;
  }
  clock.printk_nsec = read_vmware_clock(kernel, clock);
  const auto ahead = read_number(kernel, "__gtod_offset", sizeof(std::int64_t));
  if (!ahead || *ahead < -farthest || *ahead > farthest) return;
  clock.printk_ahead_nsec = ahead;
  clock.printk_ahead_is_new =
      read_number(kernel, "watchdog_running", sizeof(std::int32_t)).value_or(0) != 0;
}

}  // namespace photon_dmesg
