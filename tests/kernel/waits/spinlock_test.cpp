#include "kernel/waits/spinlock.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::size_t rbx = 3;
constexpr std::size_t rdi = 7;

// A CPU that waits for a lock.
struct Spinning {
  TaskGuest guest;  // of 6.1
  GuestVirtual slow_path = guest.function("native_queued_spin_lock_slowpath");
  GuestVirtual lock = guest.variable("some_lock");
  Vcpu vcpu;
  Trace trace;

  explicit Spinning(const std::string& release = "6.1.0") : guest(release) {
    guest.write(lock, 0x101, 4);
    vcpu.x86.rip = slow_path + 0x30;
    vcpu.x86.general[rdi] = lock.value;
    vcpu.x86.general[rbx] = lock.value;
    Frame& frame = trace.frames.emplace_back();
    frame.address = slow_path + 0x30;
    frame.kind = FrameKind::Instruction;
    frame.place = CodePlace{"native_queued_spin_lock_slowpath", 0x30, 0x100, ""};
  }

  std::optional<SpinLock> find() {
    return find_spinlock(guest.kernel(), guest.code(), vcpu, trace);
  }
};

}  // namespace

TEST_CASE("spinlock: the one that a CPU waits for is named, with what its word says") {
  Spinning spinning;
  const auto lock = spinning.find();
  REQUIRE(lock);
  CHECK(lock->address == spinning.lock);
  CHECK(describe(*lock) == "spinlock some_lock");
  CHECK(describe_word(*lock) == "0x101: held, one CPU waits");
}

TEST_CASE("spinlock: its word names who queued last, and says whether it is held") {
  CHECK(describe_word({{}, 0x1, {}}) == "0x1: held");
  CHECK(describe_word({{}, 3U << 18 | 1, {}}) ==
        "0xc0001: held, CPU 2 was the last to queue for it");
  CHECK(describe_word({{}, 0x100, {}}) == "0x100: free, one CPU waits");
}

TEST_CASE("spinlock: until 5.18 one register has it, since then a second one must agree") {
  for (const auto& [release, is_found] : {std::pair{"5.10.0", true}, std::pair{"5.19.0", false}}) {
    Spinning spinning(release);
    spinning.vcpu.x86.general[rbx] = 1;
    CHECK(spinning.find().has_value() == is_found);
  }
}

TEST_CASE("spinlock: what may be another value than the lock's address is none") {
  Spinning spinning;
  SECTION("the trace begins in another function") {
    spinning.trace.frames.front().place->symbol = "some_function";
  }
  SECTION("the paravirtual one calls others") {
    spinning.trace.frames.front().place->symbol = "__pv_queued_spin_lock_slowpath";
  }
  SECTION("it is not what the CPU was at") {
    spinning.vcpu.x86.rip = spinning.slow_path + 0x34;
  }
  SECTION("the register is not known") {
    spinning.vcpu.x86.general[rdi].reset();
  }
  SECTION("it leads nowhere") {
    spinning.vcpu.x86.general[rdi] = spinning.vcpu.x86.general[rbx] = TaskGuest::nowhere.value;
  }
  SECTION("to a program's memory") {
    spinning.vcpu.x86.general[rdi] = spinning.vcpu.x86.general[rbx] = 0x80000;
  }
  SECTION("to no lock") {
    spinning.guest.write(spinning.lock, 0x12345678, 4);
  }
  SECTION("to one that is free") {
    spinning.guest.write(spinning.lock, 0, 4);
  }
  CHECK_FALSE(spinning.find());
}

}  // namespace photon_dmesg::test
