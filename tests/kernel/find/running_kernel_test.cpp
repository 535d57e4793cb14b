#include "kernel/find/running_kernel.h"

#include <array>
#include <catch2/catch.hpp>

#include "kernel/arch/x86_64/memory_map.h"
#include "support/errors.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

const std::string banner =
    "Linux version 6.1.10-1.ph5 (root@photon) #1 SMP\n" + std::string(1, '\0');
constexpr GuestVirtual text{0xffffffff9b000000};

// A kernel of one page with its banner, in tables at `root`.
struct Machine {
  explicit Machine(PagingLevels levels = PagingLevels::Four, GuestPhysical root = {0x10000})
      : builder(memory, root, levels) {
    builder.map(text, {0x5000});
    memory.write_text({0x5100}, banner);
  }

  [[nodiscard]] Vcpu vcpu(std::uint32_t index = 0) const {
    Vcpu result;
    result.index = index;
    result.x86.cr[0] = x86_64::cr0_paging;
    result.x86.cr[3] = builder.root().value;
    result.x86.cr[4] = 0;
    result.x86.rip = text;
    return result;
  }

  std::optional<RunningKernel> find(const std::vector<Vcpu>& vcpus) {
    return find_running_kernel(memory, vcpus, diagnostics);
  }

  // The same tables with their root at `place`, as one process after the other has the kernel's.
  void copy_root_to(GuestPhysical place) {
    std::array<std::byte, 4096> root{};
    REQUIRE(memory.read(builder.root(), root));
    memory.write(place, root);
  }

  FakeMemory memory{0x80000};
  PageTableBuilder builder;
  CollectedDiagnostics diagnostics;
};

}  // namespace

TEST_CASE("find_running_kernel: through the page tables of a vCPU") {
  Machine machine;
  const std::optional<RunningKernel> kernel = machine.find({machine.vcpu()});
  REQUIRE(kernel);
  CHECK(kernel->banner().release == "6.1.10-1.ph5");
  CHECK(kernel->banners.front().address == text + 0x100);
  CHECK(kernel->tables().levels() == 4);
}

TEST_CASE("find_running_kernel: CR4 says that there are 5 levels") {
  Machine machine(PagingLevels::Five);
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[4] = 0x1000;
  REQUIRE(machine.find({vcpu}));
  CHECK(machine.find({vcpu})->tables().levels() == 5);
}

TEST_CASE("find_running_kernel: PCID and LAM bits of CR3 are no part of the root") {
  Machine machine;
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = *vcpu.x86.cr[3] | 0x6000000000000fff;
  CHECK(machine.find({vcpu}));
}

TEST_CASE("find_running_kernel: in user mode under PTI, the kernel's tables are the page before") {
  Machine machine(PagingLevels::Four, {0x20000});
  // The user's tables, without the kernel, begin in the page behind the kernel's root.
  PageTableBuilder user(machine.memory, {0x41000}, PagingLevels::Four);
  user.map({0x401000}, {0x6000});
  machine.copy_root_to({0x40000});
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = 0x41000;
  vcpu.x86.rip = GuestVirtual{0x401000};
  const std::optional<RunningKernel> kernel = machine.find({vcpu});
  REQUIRE(kernel);
  CHECK(kernel->tables().root() == GuestPhysical{0x40000});
}

TEST_CASE(
    "find_running_kernel: the user's tables are not taken for the kernel's where they map it") {
  // Page-table isolation without PCID: text and read-only data are in both, variables are not.
  Machine machine(PagingLevels::Four, {0x20000});
  const GuestVirtual variables = text + 0x200000;
  machine.builder.map(variables, {0x7000});
  PageTableBuilder user(machine.memory, {0x41000}, PagingLevels::Four);
  user.map({0x401000}, {0x6000});
  user.map(text, {0x5000}, 1, pte_present);
  machine.copy_root_to({0x40000});
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = 0x41000;
  vcpu.x86.rip = GuestVirtual{0x401000};
  const auto kernel = machine.find({vcpu});
  REQUIRE(kernel);
  CHECK(kernel->tables().root() == GuestPhysical{0x40000});
  CHECK(kernel->banners.front().address == text + 0x100);
  CHECK(kernel->image->memory().translate(variables) == GuestPhysical{0x7000});
}

TEST_CASE("find_running_kernel: without isolation a kernel's root may be at any page") {
  Machine machine(PagingLevels::Four, {0x21000});
  SECTION("behind a page that is no table") {
    machine.memory.write_text({0x20000}, std::string(4096, 'x'));
  }
  SECTION("behind another process's root") {
    machine.copy_root_to({0x20000});
  }
  SECTION("behind a root left from a kernel that had more mapped, at another place") {
    PageTableBuilder other(machine.memory, {0x40000}, PagingLevels::Four);
    for (unsigned page = 0; page < 3; ++page) other.map(text + page * 4096ULL, {0x6000});
    machine.memory.write_text({0x6100}, banner);
    machine.memory.write_value(PageTableBuilder::slot_of({0x20000}, text, 4),
                               0x41000 | pte_present | pte_writable);
  }
  const auto kernel = machine.find({machine.vcpu()});
  REQUIRE(kernel);
  CHECK(kernel->tables().root() == GuestPhysical{0x21000});
  CHECK(kernel->image->memory().translate(text) == GuestPhysical{0x5000});
}

TEST_CASE("find_running_kernel: a vCPU in firmware, halted or zeroed is passed over") {
  Machine machine;
  Vcpu zeroed;
  Vcpu real_mode = machine.vcpu(1);
  real_mode.x86.cr[0] = 0x10;
  Vcpu firmware = machine.vcpu(2);
  firmware.x86.cr[3] = 0x7f000;
  const auto kernel = machine.find({zeroed, real_mode, firmware, machine.vcpu(3)});
  REQUIRE(kernel);
  CHECK(kernel->vcpu == 3);
}

TEST_CASE("find_running_kernel: without any vCPU that uses page tables there is none to find") {
  Machine machine;
  CHECK_FALSE(machine.find({}));
  CHECK_FALSE(machine.find({Vcpu()}));
}

TEST_CASE("find_running_kernel: a vCPU that runs something else entirely gives none") {
  Machine machine;
  PageTableBuilder other(machine.memory, {0x30000}, PagingLevels::Four);
  other.map({0x401000}, {0x6000});
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = 0x30000;
  vcpu.x86.rip = GuestVirtual{0x401000};
  CHECK_FALSE(machine.find({vcpu}));
}

TEST_CASE("check_memory_belongs: memory in which no vCPU finds its instruction is another's") {
  Machine machine;
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = 0x40000;  // nothing is there
  check_fails(Failure::Mismatch,
              "test memory: not the memory of this checkpoint: expected the page "
              "tables at vCPU 0's CR3 0x40000 to map its instruction at "
              "0xffffffff9b000000",
              [&] { check_memory_belongs(machine.memory, {vcpu}, {}); });
  CHECK_FALSE(machine.find({vcpu}));
  check_memory_belongs(machine.memory, {machine.vcpu()}, {});
  // Its page tables may lie in what is missing, but not where there never was any memory.
  vcpu.x86.cr[3] = 0x10000000;
  check_memory_belongs(machine.memory, {vcpu}, {{GuestPhysical{0x10000000}, 0x1000}});
  check_fails(Failure::Mismatch, "not the memory of this checkpoint", [&] {
    check_memory_belongs(machine.memory, {vcpu}, {{GuestPhysical{0x20000000}, 0x1000}});
  });
}

TEST_CASE("RunningKernel: its name is the most detailed banner") {
  Machine machine;
  machine.memory.write_text(
      {0x5000}, "Linux version 6.1.10-1.ph5 (root@photon) # SMP\n" + std::string(1, '\0'));
  const auto kernel = machine.find({machine.vcpu()});
  REQUIRE(kernel);
  CHECK(kernel->banners.size() == 2);
  CHECK(kernel->banner().text == "Linux version 6.1.10-1.ph5 (root@photon) #1 SMP");
}

TEST_CASE("find_running_kernel: with encrypted memory, its bit is no part of any address") {
  const std::uint64_t bit =
      GENERATE(as<std::uint64_t>{}, std::uint64_t{1} << 47, std::uint64_t{1} << 51);
  Machine machine;
  // The bit is in CR3 and in every entry.
  machine.builder.encrypt(bit);
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = *vcpu.x86.cr[3] | bit;
  const auto kernel = machine.find({vcpu});
  REQUIRE(kernel);
  CHECK(kernel->banner().release == "6.1.10-1.ph5");
  CHECK(kernel->tables().root() == GuestPhysical{0x10000});
}

TEST_CASE("may_run_kernel: a vCPU in another kernel's image does not") {
  Machine machine;
  const KernelMemory kernel(machine.memory, machine.builder.tables());
  CHECK(may_run_kernel(machine.memory, machine.vcpu(), kernel));
  PageTableBuilder other(machine.memory, {0x30000}, PagingLevels::Four);
  other.map(text, {0x6000});
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = other.root().value;
  CHECK_FALSE(may_run_kernel(machine.memory, vcpu, kernel));
  vcpu.x86.rip = GuestVirtual{0x401000};
  CHECK(may_run_kernel(machine.memory, vcpu, kernel));
}

TEST_CASE("may_run_kernel: without page tables nothing speaks against it") {
  Machine machine;
  const KernelMemory kernel(machine.memory, machine.builder.tables());
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3].reset();
  CHECK(may_run_kernel(machine.memory, vcpu, kernel));
}

TEST_CASE("may_run_kernel: through encrypted tables, and the kernel's under PTI") {
  const std::uint64_t bit =
      GENERATE(as<std::uint64_t>{}, 0, std::uint64_t{1} << 47, std::uint64_t{1} << 51);
  Machine machine(PagingLevels::Four, {0x20000});
  const KernelMemory kernel(
      machine.memory, x86_64::page_tables(machine.memory, {0x20000}, PagingLevels::Four, bit));
  machine.builder.encrypt(bit);
  Vcpu vcpu = machine.vcpu();
  vcpu.x86.cr[3] = 0x20000 | bit;
  CHECK(may_run_kernel(machine.memory, vcpu, kernel));
  // A copy of the kernel's root, and behind it the user's, which maps nothing of the kernel.
  machine.copy_root_to({0x40000});
  vcpu.x86.cr[3] = 0x41000 | bit;
  CHECK(may_run_kernel(machine.memory, vcpu, kernel));
}

}  // namespace photon_dmesg::test
