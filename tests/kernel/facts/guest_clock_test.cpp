#include "kernel/facts/guest_clock.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "kernel/find/running_kernel.h"
#include "kernel/memory/known_layouts.h"
#include "support/fixture_guest.h"
#include "support/timekeeper_writer.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

using namespace timekeeper;

std::optional<GuestClock> read(FixtureGuest& guest, const KernelSymbols& symbols) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return read_guest_clock(GuestKernel::attach(*running, symbols, guest.diagnostics()),
                          guest.diagnostics());
}

// The symbols of another source, of which tk_core is called as it is since 6.17.
class Renamed final : public KernelSymbols {
 public:
  explicit Renamed(const KernelSymbols& symbols) : symbols_(symbols) {}

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    if (name == "tk_core") return std::nullopt;
    return symbols_.find_symbol(name == "timekeeper_data" ? "tk_core" : name);
  }
  void for_each_symbol(const SymbolVisit& visit) const override { symbols_.for_each_symbol(visit); }
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

 private:
  const KernelSymbols& symbols_;
};

void check_clock(const std::optional<GuestClock>& clock) {
  REQUIRE(clock);
  CHECK(clock->realtime_offset_nsec == boot);
  CHECK(clock->last_update_nsec == (boot / second + uptime_seconds) * second + 250'000'000);
  CHECK(clock->raw_nsec == raw_seconds * second + 500'000'000);
  CHECK(clock->sleep_nsec == slept);
  CHECK(clock->slew_rate == 0.0625);
}

}  // namespace

TEST_CASE("guest clock: every layout of the timekeeper, at its symbol or by its form") {
  for (const TimekeeperLayout& layout : known_timekeeper_layouts()) {
    CAPTURE(layout.versions);
    FixtureGuest guest(PRINTK_LOG_KERNEL);
    write_timekeeper(guest, guest.at("tk_core") + 8, layout);
    check_clock(read(guest, guest.vmlinux()));
    FixtureGuest elsewhere(PRINTK_LOG_KERNEL);
    write_timekeeper(elsewhere, elsewhere.at("larger_log_buf"), layout);
    check_clock(read(elsewhere, elsewhere.vmlinux()));
  }
}

TEST_CASE("guest clock: of several timekeepers it is the first, not the one that lies lower") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  const TimekeeperLayout& layout = known_timekeeper_layouts().back();
  write_timekeeper(guest, guest.at("tk_core") + 8, layout);
  const Renamed symbols(guest.vmlinux());
  check_clock(read(guest, symbols));
  const auto& evidence = guest.diagnostics().evidence();
  CHECK(std::any_of(evidence.begin(), evidence.end(), [](const Evidence& found) {
    return found.how == "in the variable timekeeper_data";
  }));
}

TEST_CASE("guest clock: sums that are wrong are no clock") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  const TimekeeperLayout& layout = known_timekeeper_layouts().front();
  const GuestPhysical place = guest.at("tk_core") + 8;
  CHECK_FALSE(read(guest, guest.vmlinux()));
  for (const std::uint64_t member : {layout.xtime_sec, layout.ktime_sec, layout.wall_to_monotonic,
                                     layout.offs_real, layout.base}) {
    write_timekeeper(guest, place, layout);
    check_clock(read(guest, guest.vmlinux()));
    guest.memory().write_value(place + member, std::int64_t{4711});
    CAPTURE(member);
    CHECK_FALSE(read(guest, guest.vmlinux()));
  }
}

TEST_CASE("guest clock: how printk's clock stands to it, by the kernel's variables") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  write_timekeeper(guest, guest.at("tk_core") + 8, known_timekeeper_layouts().front());
  guest.memory().write_value(guest.at("__gtod_offset"), std::int64_t{-4711});
  auto clock = read(guest, guest.vmlinux());
  REQUIRE(clock);
  CHECK(clock->printk_follows_raw == false);
  CHECK(clock->printk_ahead_nsec == -4711);
  CHECK_FALSE(clock->printk_ahead_is_new);
  CHECK_FALSE(clock->printk_nsec);
  guest.memory().write_value(guest.at("__sched_clock_stable"), std::int32_t{1});
  guest.memory().write_value(guest.at("watchdog_running"), std::int32_t{1});
  guest.memory().write_value(guest.at("__gtod_offset"), 4711 * second);  // no boot takes so long
  clock = read(guest, guest.vmlinux());
  REQUIRE(clock);
  CHECK(clock->printk_follows_raw == true);
  CHECK_FALSE(clock->printk_ahead_nsec);
}

// Numbers of a real guest with a TSC of 2.6 GHz, whose newest record was logged at 10.345453 s.
TEST_CASE("guest clock: VMware's TSC is printk's clock") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  const TimekeeperLayout& layout = known_timekeeper_layouts().front();
  const GuestPhysical keeper = guest.at("tk_core") + 8;
  write_timekeeper(guest, keeper, layout);
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  const GuestKernel kernel = GuestKernel::attach(*running, guest.vmlinux(), guest.diagnostics());
  const auto clock = [&] { return read_guest_clock(kernel, guest.diagnostics()).value(); };
  guest.memory().write_value(keeper + layout.cycle_last, std::uint64_t{30'352'963'507});
  const GuestPhysical scale = guest.at("vmware_cyc2ns");
  guest.memory().write_value(scale, std::uint32_t{827'189'033});
  guest.memory().write_value(scale + 4, std::uint32_t{31});
  guest.memory().write_value(scale + 8, std::uint64_t{1'326'931'036});
  guest.memory().write_value(guest.at("__sched_clock_offset"), std::int64_t{-2'811'187});
  CHECK_FALSE(clock().printk_nsec);  // the clock source is another one
  guest.memory().write_value(keeper, kernel.address("clocksource_tsc").value);
  CHECK(clock().printk_nsec == 10'361'913'057);
  guest.memory().write_value(scale + 4, std::uint32_t{33});
  CHECK_FALSE(clock().printk_nsec);
  guest.memory().write_value(scale, std::uint64_t{0});  // another hypervisor's guest
  CHECK_FALSE(clock().printk_nsec);
}

TEST_CASE("guest clock: a shift that no clock source has is no clock") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  const TimekeeperLayout& layout = known_timekeeper_layouts().front();
  const GuestPhysical place = guest.at("tk_core") + 8;
  for (const std::uint32_t bits : {33U, 63U, 64U, 0xffffffffU}) {
    write_timekeeper(guest, place, layout);
    guest.memory().write_value(place + layout.shift, bits);
    CHECK_FALSE(read(guest, guest.vmlinux()));
  }
}

TEST_CASE("guest clock: a raw clock or a sleep that can't be is absent, and costs nothing else") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  const TimekeeperLayout& layout = known_timekeeper_layouts().front();
  const GuestPhysical place = guest.at("tk_core") + 8;
  write_timekeeper(guest, place, layout);
  guest.memory().write_value(place + layout.tkr_raw + layout.base, std::int64_t{4711} * second);
  guest.memory().write_value(place + layout.offs_boot, std::int64_t{-1});
  auto clock = read(guest, guest.vmlinux());
  REQUIRE(clock);
  CHECK(clock->realtime_offset_nsec == boot);
  CHECK_FALSE(clock->raw_nsec);
  CHECK_FALSE(clock->sleep_nsec);
  write_timekeeper(guest, place, layout);
  guest.memory().write_value(place + layout.tkr_raw + layout.shift, std::uint32_t{64});
  clock = read(guest, guest.vmlinux());
  REQUIRE(clock);
  CHECK_FALSE(clock->raw_nsec);
}

}  // namespace photon_dmesg::test
