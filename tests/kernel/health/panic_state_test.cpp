#include "kernel/health/panic_state.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg {
namespace {

using test::TaskGuest;

TEST_CASE("The CPU that panicked is what panic_cpu says, and none where it says none") {
  TaskGuest guest;
  const GuestVirtual panic_cpu = guest.variable("panic_cpu");
  guest.write(panic_cpu, 0xffffffff, 4);
  CHECK_FALSE(read_panic_state(guest.kernel()).cpu());
  guest.write(panic_cpu, 3, 4);
  const PanicState state = read_panic_state(guest.kernel());
  CHECK(state.cpu() == 3);
  CHECK(state.panic_cpu->address == panic_cpu);
  CHECK(state.panic_cpu->name == "panic_cpu");
}

TEST_CASE("What has no symbol of a panic's state is absent") {
  TaskGuest guest;
  const PanicState state = read_panic_state(guest.kernel());
  CHECK_FALSE(state.panic_cpu);
  CHECK_FALSE(state.cpu());
  CHECK_FALSE(state.die_counter);
  CHECK_FALSE(state.system_state);
}

TEST_CASE("The numbers of a system's states have moved twice") {
  struct Case {
    const char* release;
    std::uint64_t number;
    SystemState state;
  };
  for (const Case& expected : {Case{"4.4.8-esx", 0, SystemState::Booting},
                               {"4.4.8-esx", 1, SystemState::Running},
                               {"4.4.8-esx", 3, SystemState::ShuttingDown},
                               {"4.19.97", 1, SystemState::Booting},
                               {"4.19.97", 2, SystemState::Running},
                               {"5.10.223", 5, SystemState::ShuttingDown},
                               {"6.1.10", 2, SystemState::Booting},
                               {"6.1.10", 3, SystemState::Running},
                               {"6.1.10", 7, SystemState::Suspending}}) {
    CAPTURE(expected.release, expected.number);
    TaskGuest guest(expected.release);
    guest.write(guest.variable("system_state"), expected.number, 4);
    CHECK(read_panic_state(guest.kernel()).system_state == expected.state);
  }
  SECTION("one that there is not is not known") {
    TaskGuest guest("6.1.10");
    guest.write(guest.variable("system_state"), 77, 4);
    CHECK_FALSE(read_panic_state(guest.kernel()).system_state);
  }
}

TEST_CASE("Taints are the letters that the kernel prints") {
  CHECK(taint_letters(0).empty());
  CHECK(taint_letters(1U << 7U | 1U << 9U) == "DW");
  CHECK(taint_letters(1U << 12U | 1U << 13U | 1U << 14U) == "OEL");
}

}  // namespace
}  // namespace photon_dmesg
