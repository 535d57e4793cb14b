#include "kernel/health/timer_base.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg {
namespace {

using test::TaskGuest;

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t base_place = 0x2340;

// The area of CPU 3, with its timers as 5.10 to 6.12 have them.
class TimerGuest : public TaskGuest {
 public:
  explicit TimerGuest(std::uint64_t time_place = 32, std::uint64_t clocks_place = 64)
      : base(area + base_place), clocks(base + clocks_place), time(base + time_place) {
    write(base + 4, 3, 4);
    write(base + 16, 1, 4);  // hres_active
    for (std::uint64_t i = 0; i < 8; ++i) {
      write(clocks + i * 64, base);
      write(clocks + i * 64 + 8, i, 4);
    }
    write(time, 7 * second);
    write(time + 8, timer);
    write(timer + 24, 7 * second);
    write(timer + 48, clocks);
  }

  [[nodiscard]] std::optional<Reading> find() { return find_timers(memory(), area, 3).due; }

  GuestVirtual area = allocate(0x8000, 4096);
  GuestVirtual timer = allocate(64);
  GuestVirtual base;
  GuestVirtual clocks;
  GuestVirtual time;
};

}  // namespace

TEST_CASE("timer base: the next time is that of a timer of one of the CPU's clocks") {
  TimerGuest guest;
  const auto due = guest.find();
  REQUIRE(due);
  CHECK(due->value == 7 * second);
  CHECK(due->address == guest.time);
  TimerGuest other(40, 128);
  REQUIRE(other.find());
  CHECK(other.find()->address == other.time);
}

TEST_CASE("timer base: nothing where something does not fit") {
  TimerGuest guest;
  SECTION("another CPU's") {
    guest.write(guest.base + 4, 2, 4);
  }
  SECTION("a clock that points elsewhere") {
    guest.write(guest.clocks + 64, guest.area);
  }
  SECTION("a clock that has another's number") {
    guest.write(guest.clocks + 64 + 8, 0, 4);
  }
  SECTION("a timer that is due at another time") {
    guest.write(guest.timer + 24, 8 * second);
  }
  SECTION("a timer of another CPU's clock") {
    guest.write(guest.timer + 48, guest.area);
  }
  SECTION("no timer") {
    guest.write(guest.time + 8, 0);
  }
  SECTION("no high resolution: nobody keeps it up") {
    guest.write(guest.base + 16, 0, 4);
  }
  CHECK_FALSE(guest.find());
}

TEST_CASE("timer base: a CPU in its timer interrupt has the timer that it serves, and none due") {
  TimerGuest guest;
  const auto served = [&] { return find_timers(guest.memory(), guest.area, 3).served; };
  CHECK_FALSE(served());
  guest.write(guest.time, 0x7fffffffffffffff);
  guest.write(guest.clocks + 24, guest.timer);
  REQUIRE(served());
  CHECK(served()->value == 7 * second);
  CHECK(served()->address == guest.timer + 24);
  CHECK_FALSE(guest.find());
  SECTION("but not one of another clock, whose time is another") {
    guest.write(guest.timer + 48, guest.clocks + 64);
    CHECK_FALSE(served());
  }
  SECTION("nor one that can't be read") {
    guest.write(guest.clocks + 24, TaskGuest::nowhere);
    CHECK_FALSE(served());
  }
}

}  // namespace photon_dmesg
