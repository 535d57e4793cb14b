#include "kernel/arch/x86_64/stack_registers.h"

#include <array>
#include <catch2/catch.hpp>

#include "kernel/arch/x86_64/x86_64.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t stack = 0xffffc90000010000;
constexpr std::uint64_t heap = 0xffff888000300000;
constexpr std::uint64_t other_stack = 0xffffc90000021000;  // for interrupts: it begins at any page
constexpr std::uint64_t exception_stack = 0xfffffe0000005000;
constexpr std::uint64_t process = 0x7ffc12340000;
constexpr std::uint64_t stack_end_magic = 0x57ac6e9d;

// vCPUs with two pages of a task's stack, one of another stack, of the heap and of a process.
struct Machine {
  FakeMemory memory{1 << 20};
  PageTableBuilder tables{memory, {0x10000}, PagingLevels::Four};
  std::vector<Vcpu> vcpus;
  CollectedDiagnostics diagnostics;

  Machine() {
    tables.map({stack}, {0x8000});
    tables.map({stack + 0x1000}, {0x9000});
    tables.map({heap}, {0xa000});
    tables.map({other_stack}, {0xb000});
    tables.map({exception_stack}, {0xc000});
    tables.map({process}, {0xd000});
  }
  Machine(std::uint64_t rsp, std::uint64_t rbp) : Machine() { add(rsp, rbp); }

  // A vCPU by what was read of it.
  Vcpu& add(std::uint64_t rsp, std::uint64_t rbp, std::uint16_t cs = 0x10) {
    Vcpu& vcpu = vcpus.emplace_back();
    vcpu.index = static_cast<std::uint32_t>(vcpus.size() - 1);
    vcpu.x86.stack_registers_in_doubt = true;
    vcpu.x86.cr[3] = tables.root().value;
    vcpu.x86.cs = cs;
    vcpu.x86.general[4] = rsp;
    vcpu.x86.general[5] = rbp;
    return vcpu;
  }

  // The stack is a task's.
  Machine& with_task() {
    memory.write_value({0x8000}, stack_end_magic);
    return *this;
  }
  // The other stack was entered from `interrupted`.
  Machine& with_interrupt(std::uint64_t interrupted, std::uint64_t free_bytes = 0) {
    memory.write_value({0xc000 - 8 - free_bytes}, interrupted);
    return *this;
  }

  // What is rsp of the first vCPU then.
  std::uint64_t rsp() {
    decide_stack_registers(memory, vcpus, diagnostics);
    return *vcpus[0].x86.general[4];
  }
  bool is_in_doubt() {
    decide_stack_registers(memory, vcpus, diagnostics);
    return vcpus[0].x86.stack_registers_in_doubt;
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
  CHECK(Machine(0, stack + 0x2000).rsp() == stack + 0x2000);
}

TEST_CASE("decide_stack_registers: of two places in one stack rsp is the lower one") {
  Machine as_read(stack + 0x100, stack + 0x1200);
  CHECK(as_read.rsp() == stack + 0x100);
  CHECK_FALSE(as_read.vcpus[0].x86.stack_registers_in_doubt);
  Machine swapped(stack + 0x1200, stack + 0x100);
  CHECK(swapped.rsp() == stack + 0x100);
  CHECK(swapped.vcpus[0].x86.general[5] == stack + 0x1200);
  REQUIRE(swapped.diagnostics.evidence().size() == 1);
  CHECK(swapped.diagnostics.evidence()[0].what == "rsp stands before rbp in gpregs");
}

TEST_CASE("decide_stack_registers: places with nothing mapped between them are not in one stack") {
  Machine machine(stack + 0x3100, stack + 0x100);
  machine.tables.map({stack + 0x3000}, {0xe000});
  CHECK(machine.is_in_doubt());
}

TEST_CASE("decide_stack_registers: an idle task's stack is told from its task_struct") {
  CHECK(Machine(heap + 0x100, stack + 0x100).with_task().rsp() == stack + 0x100);
  CHECK(Machine(stack + 0x100, heap + 0x100).with_task().rsp() == stack + 0x100);
  CHECK_FALSE(Machine(stack + 0x100, heap + 0x100).with_task().is_in_doubt());
  CHECK(Machine(stack + 0x100, heap + 0x100).is_in_doubt());
}

TEST_CASE("decide_stack_registers: a task's stack need not be in use during an interrupt") {
  // As asm_call_on_stack has it: rbp keeps the place on the task's stack.
  const std::uint64_t free_bytes = GENERATE(std::uint64_t{0}, std::uint64_t{64});
  CHECK(Machine(other_stack + 0x800, stack + 0x100)
            .with_task()
            .with_interrupt(stack + 0x80, free_bytes)
            .is_in_doubt());
  CHECK(Machine(exception_stack + 0x800, stack + 0x100).with_task().is_in_doubt());
  // The link says so, not the place.
  CHECK(Machine(other_stack + 0x800, stack + 0x100).with_task().rsp() == stack + 0x100);
}

TEST_CASE("decide_stack_registers: one vCPU decides for all of a file") {
  Machine machine(heap + 0x100, heap + 0x200);
  machine.add(0, stack + 0x100);
  machine.add(heap + 0x10, stack + 0x200);
  machine.add(0x4b6690, process + 0x108, 0x33);
  CHECK(machine.rsp() == heap + 0x200);
  CHECK(machine.vcpus[1].x86.general[4] == stack + 0x100);
  CHECK(machine.vcpus[2].x86.general[4] == stack + 0x200);
  CHECK(machine.vcpus[3].x86.general[4] == process + 0x108);
  for (const Vcpu& vcpu : machine.vcpus) CHECK_FALSE(vcpu.x86.stack_registers_in_doubt);
  CHECK(machine.diagnostics.evidence().size() == 1);
}

TEST_CASE("decide_stack_registers: a vCPU in user mode decides too") {
  Machine machine(heap + 0x100, stack + 0x200);
  machine.add(1, process + 0x100, 0x33);
  CHECK(machine.rsp() == stack + 0x200);
  // That its stack is not mapped yet shows nothing.
  Machine unmapped(process + 0x1000000, process + 0x100);
  unmapped.vcpus[0].x86.cs = std::uint16_t{0x33};
  CHECK(unmapped.is_in_doubt());
}

TEST_CASE("decide_stack_registers: what is more certain decides") {
  // The first would be swapped as one of its values is not mapped.
  Machine machine(stack + 0x5000, heap + 0x100);
  machine.add(stack + 0x100, stack + 0x200);
  CHECK(machine.rsp() == stack + 0x5000);
  CHECK_FALSE(machine.vcpus[0].x86.stack_registers_in_doubt);
}

TEST_CASE("decide_stack_registers: the order stays, in doubt, where nothing shows it") {
  Machine machine(heap + 0x100, stack + 0x100);
  CHECK(machine.rsp() == heap + 0x100);
  CHECK(machine.vcpus[0].x86.stack_registers_in_doubt);
  CHECK_FALSE(x86_64::architecture().stack_pointer(machine.vcpus[0]));
  CHECK(Machine(1, 2).is_in_doubt());
  // vCPUs that contradict each other.
  Machine both(stack + 0x100, 1);
  both.add(1, stack + 0x100);
  CHECK(both.rsp() == stack + 0x100);
  CHECK(both.vcpus[0].x86.stack_registers_in_doubt);
  CHECK(both.diagnostics.evidence().empty());
}

TEST_CASE("decide_stack_registers: two equal values leave no doubt, and show nothing") {
  CHECK_FALSE(Machine(stack + 0x100, stack + 0x100).is_in_doubt());
  CHECK_FALSE(Machine(0, 0).is_in_doubt());
}

TEST_CASE("decide_stack_registers: tables that are missing don't say that nothing is mapped") {
  Machine machine(stack + 0x5000, heap + 0x100);
  const std::uint64_t beyond_ram = 0x7000000 | pte_present;
  machine.memory.write_value(PageTableBuilder::slot_of(machine.tables.root(), {stack}, 4),
                             beyond_ram);
  CHECK(machine.is_in_doubt());
}

TEST_CASE(
    "decide_stack_registers: nothing decides without the mode, or where nothing is in doubt") {
  Machine unknown(0, stack + 0x100);
  unknown.vcpus[0].x86.cs.reset();
  CHECK(unknown.rsp() == 0);
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
