#include "kernel/tasks/cpus.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t queue = 0x1000;    // the symbol runqueues, below the image
constexpr std::uint64_t current = 0x2000;  // and current_task, or pcpu_hot

// Two CPUs, whose data are a page each.
struct TwoCpus {
  TaskGuest guest;
  std::vector<GuestVirtual> data = {guest.allocate(0x4000), guest.allocate(0x4000)};

  TwoCpus() {
    guest.type("rq", 64, {{"curr", 8}, {"idle", 16}, {"clock", 24}});
    const GuestVirtual offsets = guest.variable("__per_cpu_offset");
    for (std::uint64_t i = 0; i < 2; ++i) guest.write(offsets + i * 8, data[i]);
    guest.write(guest.variable("nr_cpu_ids"), 2, 4);
    guest.symbol("runqueues", {queue});
    for (std::uint64_t i = 0; i < 2; ++i) {
      guest.write(data[i] + queue + 8, 0x100 + i);
      guest.write(data[i] + queue + 16, 0x200 + i);
      guest.write(data[i] + queue + 24, 1000 + i * 500);
      guest.write(data[i] + current, 0x300 + i);
    }
  }
};

Vcpu vcpu(std::uint32_t index, std::uint16_t cs, std::optional<GuestVirtual> gs_base) {
  Vcpu vcpu;
  vcpu.index = index;
  vcpu.x86.cs = cs;
  vcpu.x86.gs_base = gs_base;
  return vcpu;
}

}  // namespace

TEST_CASE("cpus: their data by __per_cpu_offset, the time by the latest of their clocks") {
  TwoCpus two;
  two.guest.symbol("current_task", {current});
  const Cpus cpus = two.guest.cpus(2);
  REQUIRE(cpus.all().size() == 2);
  CHECK(cpus.all()[1].number == 1);
  CHECK(cpus.all()[1].per_cpu_offset == two.data[1].value);
  CHECK(cpus.all()[1].queue_current == GuestVirtual{0x101});
  CHECK(cpus.all()[1].idle == GuestVirtual{0x201});
  CHECK(cpus.all()[1].current == GuestVirtual{0x301});
  CHECK(cpus.now_nsec() == 1500U);
  CHECK(cpus.variable(cpus.all()[0], "runqueues") == two.data[0] + queue);
  CHECK_FALSE(cpus.variable(cpus.all()[0], "no_such_variable"));
}

TEST_CASE("cpus: from 6.2 to 6.14 the current task stands in pcpu_hot") {
  TwoCpus two;
  two.guest.type("pcpu_hot", 64, {{"current_task", 0}});
  two.guest.symbol("pcpu_hot", {current});
  CHECK(two.guest.cpus().all()[0].current == GuestVirtual{0x300});
}

TEST_CASE("cpus: since 6.15 per-CPU symbols lie in the image and move with it") {
  TaskGuest guest;
  const std::uint64_t linked = 0xffffffff83cf65c0;
  guest.symbol("current_task", {linked});
  const GuestVirtual at = guest.allocate(8);
  guest.write(guest.variable("__per_cpu_offset"), at.value - linked - TaskGuest::kaslr_offset);
  guest.write(at, 0x777);
  CHECK(guest.cpus().all()[0].current == GuestVirtual{0x777});
}

TEST_CASE("cpus: those that are not present are not there") {
  TwoCpus two;
  SECTION("since 4.5") {
    two.guest.write(two.guest.variable("__cpu_present_mask"), 0b10);
  }
  SECTION("before") {
    two.guest.write(two.guest.variable("cpu_present_bits"), 0b10);
  }
  const Cpus cpus = two.guest.cpus(2);
  REQUIRE(cpus.all().size() == 1);
  CHECK(cpus.all()[0].number == 1);
}

TEST_CASE("cpus: in the kernel GS says which CPU a vCPU is, in user mode its number must do") {
  TwoCpus two;
  const Cpus cpus = two.guest.cpus(2);
  // The numbers of the CPUs that these are; -1: not known.
  const auto match = [&](const std::vector<Vcpu>& vcpus) {
    std::vector<int> numbers;
    for (const Cpu* cpu : cpus.match(vcpus)) {
      numbers.push_back(cpu == nullptr ? -1 : static_cast<int>(cpu->number));
    }
    return numbers;
  };
  using Numbers = std::vector<int>;
  const GuestVirtual other{0x12345};
  CHECK(match({vcpu(0, 0x10, two.data[1]), vcpu(1, 0x10, two.data[0])}) == Numbers{1, 0});
  CHECK(match({vcpu(0, 0x33, two.data[1]), vcpu(1, 0x33, two.data[0])}) == Numbers{0, 1});
  CHECK(match({vcpu(0, 0x10, two.data[0]), vcpu(1, 0x10, other)}) == Numbers{0, 1});
  CHECK(match({vcpu(0, 0x10, std::nullopt), vcpu(7, 0x33, std::nullopt)}) == Numbers{0, -1});
  SECTION("but no other one's CPU: then what is left over is its") {
    CHECK(match({vcpu(0, 0x10, two.data[1]), vcpu(1, 0x33, other)}) == Numbers{1, 0});
  }
  SECTION("and none, where several are left and the numbers are not the kernel's") {
    CHECK(match({vcpu(0, 0x10, two.data[1]), vcpu(1, 0x33, other), vcpu(2, 0x33, other)}) ==
          Numbers{1, -1, -1});
  }
  SECTION("nor of two that have one GS base, of which one is damaged") {
    CHECK(match({vcpu(0, 0x10, two.data[1]), vcpu(1, 0x10, two.data[1])}) == Numbers{-1, -1});
  }
}

TEST_CASE("cpus: a count that no kernel has is bounded, and what can't be read is left out") {
  TwoCpus two;
  two.guest.write(*two.guest.kernel().find_address("nr_cpu_ids"), 0xffffffff, 4);
  CHECK(two.guest.cpus(2).all().size() == 2);
}

TEST_CASE("cpus: of one whose offset leads nowhere nothing is known, and that is said") {
  TwoCpus two;
  const GuestVirtual offsets = *two.guest.kernel().find_address("__per_cpu_offset");
  two.guest.write(offsets + 8, TaskGuest::nowhere);
  const Cpus cpus = two.guest.cpus(2);
  REQUIRE(cpus.all().size() == 2);
  CHECK(cpus.all()[0].per_cpu_offset);
  CHECK_FALSE(cpus.all()[1].per_cpu_offset);
  CHECK_FALSE(cpus.all()[1].queue_current);
  CHECK_FALSE(cpus.variable(cpus.all()[1], "runqueues"));
  CHECK(
      two.guest.diagnostics().warnings() ==
      std::vector<std::string>{"the data of CPU 1 can't be found: __per_cpu_offset leads nowhere, "
                               "or where another CPU's are"});
  CHECK(cpus.match(std::vector<Vcpu>{vcpu(0, 0x10, two.data[0]), vcpu(1, 0x10, two.data[1])}) ==
        std::vector<const Cpu*>{&cpus.all()[0], &cpus.all()[1]});
}

TEST_CASE("cpus: two that have one offset are not told apart: of neither anything is known") {
  TwoCpus two;
  const GuestVirtual offsets = *two.guest.kernel().find_address("__per_cpu_offset");
  two.guest.write(offsets + 8, two.data[0]);
  SECTION("which is said") {
    const Cpus cpus = two.guest.cpus(2);
    REQUIRE(cpus.all().size() == 2);
    CHECK_FALSE(cpus.all()[0].per_cpu_offset);
    CHECK_FALSE(cpus.all()[1].per_cpu_offset);
    REQUIRE(two.guest.diagnostics().warnings().size() == 1);
    CHECK_THAT(two.guest.diagnostics().warnings()[0],
               Catch::StartsWith("the data of CPU 0, 1 can't be found: "));
  }
  SECTION("but in early boot, when all have that of the first, which alone runs") {
    (void)two.guest.variable("system_state");
    const Cpus cpus = two.guest.cpus(2);
    REQUIRE(cpus.all().size() == 2);
    CHECK(cpus.all()[0].queue_current == GuestVirtual{0x100});
    CHECK_FALSE(cpus.all()[1].per_cpu_offset);
    CHECK(two.guest.diagnostics().warnings().empty());
  }
}

TEST_CASE("cpus: that the kernel's mask has none is said") {
  TwoCpus two;
  (void)two.guest.variable("__cpu_present_mask");
  CHECK(two.guest.cpus(2).all().empty());
  CHECK(two.guest.diagnostics().warnings() ==
        std::vector<std::string>{
            "the guest's CPUs can't be found: the kernel's mask of them is empty"});
}

TEST_CASE("cpus: of many the first are named and the others counted") {
  using Numbers = std::vector<std::uint32_t>;
  CHECK(name_of_cpus(Numbers{7}) == "CPU 7");
  CHECK(name_of_cpus(Numbers{1, 2, 3, 5}) == "CPU 1, 2, 3, 5");
  CHECK(name_of_cpus(Numbers{1, 2, 3, 5, 8, 13}) == "CPU 1, 2, 3, 5 and 2 more");
}

TEST_CASE("cpus: without __per_cpu_offset there are none, and no time") {
  TaskGuest guest;
  const Cpus cpus = guest.cpus();
  CHECK(cpus.all().empty());
  CHECK_FALSE(cpus.now_nsec());
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("cpus: types that don't know a run queue leave its members out") {
  TwoCpus two;
  two.guest.type("rq", 64, {{"nr_running", 0, 4}});
  const Cpus cpus = two.guest.cpus(2);
  REQUIRE(cpus.all().size() == 2);
  CHECK_FALSE(cpus.all()[0].queue_current);
  CHECK_FALSE(cpus.now_nsec());
}

}  // namespace photon_dmesg::test
