#include "kernel/arch/x86_64/stack_registers.h"

#include <array>
#include <catch2/catch.hpp>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t stack = 0xffffc90000010000;

// A vCPU in kernel mode with one page of stack mapped.
struct Machine {
  FakeMemory memory{1 << 20};
  PageTableBuilder tables{memory, {0x10000}, PagingLevels::Four};
  std::vector<Vcpu> vcpus{1};
  CollectedDiagnostics diagnostics;

  Machine(std::uint64_t rsp, std::uint64_t rbp) {
    tables.map({stack}, {0x8000});
    vcpus[0].x86.stack_registers_in_doubt = true;
    vcpus[0].x86.cr[3] = tables.root().value;
    vcpus[0].x86.cs = std::uint16_t{0x10};
    vcpus[0].x86.general[4] = rsp;
    vcpus[0].x86.general[5] = rbp;
  }

  std::uint64_t rsp() {
    decide_stack_registers(memory, vcpus, diagnostics);
    return *vcpus[0].x86.general[4];
  }
};

}  // namespace

TEST_CASE("decide_stack_registers: what is a mapped stack is rsp") {
  CHECK(Machine(stack + 0x100, 0).rsp() == stack + 0x100);
  CHECK(Machine(0, stack + 0x100).rsp() == stack + 0x100);
  CHECK(Machine(0x7ffc12345678, stack + 0xff8).rsp() == stack + 0xff8);
  CHECK(Machine(stack + 0x101, stack + 0x100).rsp() == stack + 0x100);
  // Not mapped.
  CHECK(Machine(stack + 0x5000, stack + 0x100).rsp() == stack + 0x100);
  // An empty stack.
  CHECK(Machine(0, stack + 0x1000).rsp() == stack + 0x1000);
}

TEST_CASE("decide_stack_registers: the order stays where nothing speaks against it") {
  // With frame pointers both lie on the stack.
  CHECK(Machine(stack + 0x100, stack + 0x200).rsp() == stack + 0x100);
  CHECK(Machine(1, 2).rsp() == 1);
}

TEST_CASE("decide_stack_registers: nothing decides in user mode, or where nothing is in doubt") {
  Machine user(0, stack + 0x100);
  user.vcpus[0].x86.cs = std::uint16_t{0x33};
  CHECK(user.rsp() == 0);
  Machine certain(0, stack + 0x100);
  certain.vcpus[0].x86.stack_registers_in_doubt = false;
  CHECK(certain.rsp() == 0);
}

TEST_CASE("decide_stack_registers: without a selector, RIP tells the mode") {
  Machine machine(0, stack + 0x100);
  machine.vcpus[0].x86.cs.reset();
  machine.vcpus[0].x86.rip = GuestVirtual{0xffffffff81000000};
  CHECK(machine.rsp() == stack + 0x100);
}

TEST_CASE("decide_stack_registers: through encrypted tables, and the kernel's under PTI") {
  const std::uint64_t bit =
      GENERATE(as<std::uint64_t>{}, 0, std::uint64_t{1} << 47, std::uint64_t{1} << 51);
  Machine machine(0, stack + 0x100);
  machine.tables.encrypt(bit);
  std::array<std::byte, 4096> kernel_root{};
  REQUIRE(machine.memory.read(machine.tables.root(), kernel_root));
  machine.memory.write({0x40000}, kernel_root);
  // The kernel's root, and the user's in the page behind it: at the kernel's door it is still in
  // use.
  machine.vcpus[0].x86.cr[3] = GENERATE(as<std::uint64_t>{}, 0x40000, 0x41000) | bit;
  CHECK(machine.rsp() == stack + 0x100);
}

}  // namespace photon_dmesg::test
