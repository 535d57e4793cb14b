#include "kernel/unwind/stacks.h"

#include <catch2/catch.hpp>

#include "kernel/unwind/aarch64_stacks.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// A guest with one CPU, whose data begin at `data`.
struct OneCpu {
  TaskGuest guest;
  GuestVirtual data = guest.allocate(0x4000);

  OneCpu() { guest.write(guest.variable("__per_cpu_offset"), data); }

  // A per-CPU variable at `place`, which points at `to`.
  void points(const char* name, std::uint64_t place, GuestVirtual to) {
    guest.symbol(name, {place});
    guest.write(data + place, to);
  }
  std::string kind_at(GuestVirtual address) {
    const Cpus cpus = guest.cpus();
    const Stacks stacks(guest.kernel(), guest.types(), cpus);
    const Stack* stack = stacks.find(address);
    return stack == nullptr ? "none" : std::string(name_of(stack->kind));
  }
};

constexpr GuestVirtual irq_stack{0xffffc90000010000};
constexpr GuestVirtual exception_stacks{0xfffffe0000010000};

}  // namespace

TEST_CASE("stacks: that for interrupts, by what each version calls its end") {
  OneCpu one;
  SECTION("to 5.1, some words before it") {
    one.points("irq_stack_ptr", 0x80, irq_stack + 0x3fc0);
  }
  SECTION("since 5.2") {
    one.points("hardirq_stack_ptr", 0x80, irq_stack + 0x4000);
  }
  SECTION("since 5.2, its last word") {
    one.points("hardirq_stack_ptr", 0x80, irq_stack + 0x3ff8);
  }
  SECTION("from 6.2 to 6.14") {
    one.guest.type("pcpu_hot", 64, {{"current_task", 0}, {"hardirq_stack_ptr", 32}});
    one.guest.symbol("pcpu_hot", {0x100});
    one.guest.write(one.data + 0x120, irq_stack + 0x4000);
  }
  CHECK(one.kind_at(irq_stack) == "irq");
  CHECK(one.kind_at(irq_stack + 0x3fff) == "irq");
  CHECK(one.kind_at(irq_stack + 0x4000) == "none");
  CHECK(one.kind_at({irq_stack.value - 1}) == "none");
}

TEST_CASE("stacks: those for exceptions, since 5.1 by their type") {
  OneCpu one;
  one.points("cea_exception_stacks", 0x80, exception_stacks);
  one.guest.type("cea_exception_stacks", 0xc000,
                 {{"DF_stack_guard", 0, 0x1000},
                  {"DF_stack", 0x1000, 0x2000},
                  {"NMI_stack_guard", 0x3000, 0x1000},
                  {"NMI_stack", 0x4000, 0x2000},
                  {"DB_stack", 0x7000, 0x2000},
                  {"MCE_stack", 0xa000, 0x2000},
                  {"VC_stack", 0xc000, 0}});
  CHECK(one.kind_at(exception_stacks) == "none");
  CHECK(one.kind_at(exception_stacks + 0x1000) == "double_fault");
  CHECK(one.kind_at(exception_stacks + 0x5fff) == "nmi");
  CHECK(one.kind_at(exception_stacks + 0x6000) == "none");
  CHECK(one.kind_at(exception_stacks + 0x7000) == "debug");
  CHECK(one.kind_at(exception_stacks + 0xa000) == "machine_check");
  CHECK(one.kind_at(exception_stacks + 0xc000) == "none");
}

TEST_CASE("stacks: of two that lie over each other, as damage has it, the first counts") {
  OneCpu one;
  one.points("cea_exception_stacks", 0x80, exception_stacks);
  one.guest.type("cea_exception_stacks", 0xc000,
                 {{"DF_stack", 0x2000, 0x2000}, {"NMI_stack", 0x1000, 0x4000}});
  CHECK(one.kind_at(exception_stacks + 0x1fff) == "nmi");
  CHECK(one.kind_at(exception_stacks + 0x2000) == "double_fault");
  CHECK(one.kind_at(exception_stacks + 0x3fff) == "double_fault");
  CHECK(one.kind_at(exception_stacks + 0x4000) == "nmi");
  CHECK(one.kind_at(exception_stacks + 0x5000) == "none");
}

TEST_CASE("stacks: those for exceptions, before 5.1 by their ends") {
  OneCpu one;
  one.guest.symbol("orig_ist", {0x80});
  const std::uint64_t ends[] = {0x1000, 0x2000, 0x4000, 0x5000};
  for (std::uint64_t i = 0; i < 4; ++i) {
    one.guest.write(one.data + 0x80 + i * 8, exception_stacks + ends[i]);
  }
  CHECK(one.kind_at(exception_stacks) == "double_fault");
  CHECK(one.kind_at(exception_stacks + 0x1fff) == "nmi");
  CHECK(one.kind_at(exception_stacks + 0x2000) == "debug");
  CHECK(one.kind_at(exception_stacks + 0x3fff) == "debug");
  CHECK(one.kind_at(exception_stacks + 0x4000) == "machine_check");
  CHECK(one.kind_at(exception_stacks + 0x5000) == "none");
}

TEST_CASE("stacks: those of arm64, whose pointers have the lowest address") {
  OneCpu one;
  one.points("irq_stack_ptr", 0x80, irq_stack);
  one.guest.symbol("overflow_stack", {0x1000});
  const Cpus cpus = one.guest.cpus();
  const std::vector<Stack> found = find_aarch64_stacks(one.guest.kernel(), one.guest.types(), cpus);
  REQUIRE(found.size() == 2);
  CHECK(found[0].kind == StackKind::Irq);
  CHECK(found[0].contains(irq_stack));
  CHECK(found[0].contains(irq_stack + 0x3fff));
  CHECK_FALSE(found[0].contains(irq_stack + 0x4000));
  CHECK(found[1].kind == StackKind::Overflow);
  CHECK(found[1].begin == one.data + 0x1000);
  CHECK(found[1].size == 0x1000);
}

TEST_CASE("stacks: without symbols there are none") {
  OneCpu one;
  CHECK(one.kind_at(irq_stack) == "none");
  CHECK(one.kind_at({0}) == "none");
}

}  // namespace photon_dmesg::test
