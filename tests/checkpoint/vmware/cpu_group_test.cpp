#include "checkpoint/vmware/cpu_group.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/checkpoint_builder.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

struct Read {
  std::vector<Vcpu> vcpus;
  std::vector<std::string> warnings;
};

Read read(const std::string& tags, Machine machine = Machine::X86_64,
          Completeness completeness = Completeness::Required, std::size_t cut_bytes = 0) {
  std::string bytes = checkpoint_file({{"cpu", tags}});
  bytes.resize(bytes.size() - cut_bytes);
  const BufferSource source("vm.vmss", as_bytes(bytes));
  CollectedDiagnostics diagnostics;
  std::vector<Vcpu> vcpus = read_vcpus(TagFile(source), machine, diagnostics, completeness);
  return {std::move(vcpus), diagnostics.warnings()};
}

const std::string two_vcpus = inline_tag("cpu:numVCPUs", {}, 2);

std::string numbers(std::uint64_t first, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += little_endian(first + i, 8);
  return bytes;
}

}  // namespace

TEST_CASE("read_vcpus: registers one by one") {
  const Read result = read(
      two_vcpus + inline_tag("rax", {0}, 0x11, 8) + inline_tag("rsp", {1}, 0x22, 8) +
      inline_tag("rbp", {1}, 0x23, 8) + inline_tag("r15", {1}, 0x33, 8) +
      inline_tag("rip", {1}, 0xffffffff81000000, 8) + inline_tag("CR64", {1, 0}, 0x80050033, 8) +
      inline_tag("CR64", {1, 3}, 0x1234000, 8) + inline_tag("CR64", {1, 4}, 0x1000, 4) +
      inline_tag("IDTR", {1, 0}, 0xfff, 2) + inline_tag("IDTR", {1, 1}, 0x00001000, 4) +
      inline_tag("IDTR", {1, 2}, 0xfffffe00, 4) + inline_tag("S", {1, 1}, 0x10) +
      inline_tag("S.base64", {1, 4}, 0x7f00, 8) + inline_tag("S.base64", {1, 5}, 0x8f00, 8) +
      inline_tag("eflags", {1}, 0x2) + inline_tag("EFLAGS", {1}, 0x246));
  REQUIRE(result.vcpus.size() == 2);
  CHECK(result.warnings.empty());
  CHECK(result.vcpus[0].x86.general[0] == 0x11U);
  CHECK_FALSE(result.vcpus[0].x86.rip);
  const Vcpu& vcpu = result.vcpus[1];
  CHECK(vcpu.index == 1);
  CHECK(vcpu.x86.general[4] == 0x22U);
  CHECK(vcpu.x86.general[5] == 0x23U);
  CHECK(vcpu.x86.general[15] == 0x33U);
  CHECK(vcpu.x86.rip == GuestVirtual{0xffffffff81000000});
  CHECK(vcpu.x86.cr[0] == 0x80050033U);
  CHECK_FALSE(vcpu.x86.cr[2]);
  CHECK(vcpu.x86.cr[3] == 0x1234000U);
  CHECK(vcpu.x86.cr[4] == 0x1000U);
  CHECK(vcpu.x86.idt_base == GuestVirtual{0xfffffe0000001000});
  CHECK(vcpu.x86.cs == 0x10);
  CHECK(vcpu.x86.fs_base == GuestVirtual{0x7f00});
  CHECK(vcpu.x86.gs_base == GuestVirtual{0x8f00});
  CHECK(vcpu.x86.rflags == 0x246U);
}

TEST_CASE("read_vcpus: registers in blocks, rbp before rsp as crash reads them") {
  const Read result =
      read(two_vcpus + block_tag("gpregs", {1}, numbers(0x100, 16)) +
           block_tag("CR64", {1}, numbers(0x200, 9)) +
           block_tag("IDTR", {1}, little_endian(0xfff, 2) + little_endian(0xfffffe0000001000, 8)) +
           inline_tag("rip", {1}, 0x300, 8));
  const Vcpu& vcpu = result.vcpus.at(1);
  CHECK(vcpu.x86.general[0] == 0x100U);
  CHECK(vcpu.x86.general[3] == 0x103U);
  CHECK(vcpu.x86.general[5] == 0x104U);  // rbp
  CHECK(vcpu.x86.general[4] == 0x105U);  // rsp
  CHECK(vcpu.x86.general[15] == 0x10fU);
  CHECK(vcpu.x86.cr[0] == 0x200U);
  CHECK(vcpu.x86.cr[3] == 0x203U);
  CHECK(vcpu.x86.cr[8] == 0x208U);
  CHECK(vcpu.x86.idt_base == GuestVirtual{0xfffffe0000001000});
  CHECK(vcpu.x86.rip == GuestVirtual{0x300});
}

TEST_CASE("read_vcpus: a block of five control registers leaves the others unknown") {
  const Read result = read(two_vcpus + block_tag("CR64", {0}, numbers(0x200, 5)));
  CHECK(result.vcpus.at(0).x86.cr[4] == 0x204U);
  CHECK_FALSE(result.vcpus.at(0).x86.cr[8]);
}

TEST_CASE("read_vcpus: registers may come before the number of vCPUs") {
  const Read result = read(inline_tag("CR64", {1, 3}, 0x1000, 8) + two_vcpus);
  CHECK(result.vcpus.size() == 2);
  CHECK(result.vcpus.at(1).x86.cr[3] == 0x1000U);
}

TEST_CASE("read_vcpus: without a number of vCPUs those with registers count") {
  CHECK(read(inline_tag("CR64", {2, 3}, 0x1000, 8)).vcpus.size() == 3);
  CHECK(read("").vcpus.empty());
}

TEST_CASE("read_vcpus: registers of a vCPU that is not counted are left out with a warning") {
  const Read result = read(two_vcpus + inline_tag("CR64", {7, 3}, 0x1000, 8));
  CHECK(result.vcpus.size() == 2);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings.front(), Catch::Contains("registers of vCPU 7 left out"));
}

TEST_CASE("read_vcpus: tags that are no registers make no vCPU") {
  const std::string x86 = block_tag("apic", {7}, "what it is nobody knows") +
                          inline_tag("halted", {7}, 1, 1) + inline_tag("DR64", {7, 0}, 1, 8);
  const std::string arm64 = inline_tag("hv:other", {7}, 1, 8) + inline_tag("hv:ttbr0", {7}, 1, 8);
  for (const auto& [tags, machine] :
       {std::pair{x86, Machine::X86_64}, std::pair{arm64, Machine::Aarch64}}) {
    CHECK(read(two_vcpus + tags, machine).warnings.empty());
    CHECK(read(tags, machine).vcpus.empty());
  }
}

TEST_CASE("read_vcpus: register numbers that do not exist are passed over") {
  const Read result = read(two_vcpus + inline_tag("CR64", {0, 9}, 1, 8) +
                           inline_tag("CR64", {0, 0xffffffff}, 1, 8) + inline_tag("S", {0, 77}, 1) +
                           inline_tag("IDTR", {0, 3}, 1));
  CHECK_FALSE(result.vcpus.at(0).x86.cs);
  CHECK_FALSE(result.vcpus.at(0).x86.idt_base);
}

TEST_CASE("read_vcpus: an absurd number of vCPUs is refused") {
  check_fails(Failure::UnusableInput, "expected at most 4096 vCPUs, found 4294967295",
              [] { (void)read(inline_tag("cpu:numVCPUs", {}, 0xffffffff)); });
  check_fails(Failure::UnusableInput, "expected at most 4096 vCPUs",
              [] { (void)read(inline_tag("rip", {0xffffffff}, 1, 8)); });
}

TEST_CASE("read_vcpus: a block that is too short for its registers is refused") {
  check_fails(Failure::UnusableInput, "a register of gpregs",
              [] { (void)read(two_vcpus + block_tag("gpregs", {0}, std::string(127, 'x'))); });
  check_fails(Failure::UnusableInput, "a register of CR64",
              [] { (void)read(two_vcpus + block_tag("CR64", {0}, std::string(7, 'x'))); });
  check_fails(Failure::UnusableInput, "the base in IDTR",
              [] { (void)read(two_vcpus + block_tag("IDTR", {0}, std::string(9, 'x'))); });
}

TEST_CASE("read_vcpus: of a group that is cut, what is there serves where that will do") {
  const std::string first = two_vcpus + block_tag("gpregs", {0}, numbers(0x100, 16));
  const std::string last = inline_tag("rip", {0}, 0x300, 8);
  const std::string tags = first + last;
  // The end mark is cut too; where only that is missing all tags are there.
  for (std::size_t cut = 1; cut <= 2 + last.size(); ++cut) {
    CAPTURE(cut);
    check_fails(Failure::UnusableInput, "truncated: expected the group \"cpu\"",
                [&] { (void)read(tags, Machine::X86_64, Completeness::Required, cut); });
    const Read result = read(tags, Machine::X86_64, Completeness::NotRequired, cut);
    REQUIRE(result.vcpus.size() == 2);
    CHECK(result.vcpus[0].x86.general[0] == 0x100U);
    CHECK(result.vcpus[0].x86.rip.has_value() == (cut <= 2));
    REQUIRE(result.warnings.size() == 1);
    CHECK_THAT(result.warnings[0], Catch::Contains("vm.vmss: registers of vCPUs are missing"));
  }
}

TEST_CASE("read_vcpus: of a group that is damaged, what is sound serves where that will do") {
  const std::string rip = inline_tag("rip", {0}, 0x300, 8);
  const auto read_some = [](const std::string& tags) {
    return read(tags, Machine::X86_64, Completeness::NotRequired);
  };
  const Read until = read_some(two_vcpus + rip + block_tag("gpregs", {1}, "too short") +
                               inline_tag("rip", {1}, 0x400, 8));
  REQUIRE(until.vcpus.size() == 2);
  CHECK(until.vcpus[0].x86.rip == GuestVirtual{0x300});
  CHECK_FALSE(until.vcpus[1].x86.rip);
  CHECK_THAT(until.warnings.at(0), Catch::Contains("a register of gpregs"));
  const Read counted = read_some(inline_tag("cpu:numVCPUs", {}, 0xffffffff) + rip);
  REQUIRE(counted.vcpus.size() == 1);
  CHECK(counted.vcpus[0].x86.rip == GuestVirtual{0x300});
  CHECK_THAT(counted.warnings.at(0), Catch::Contains("expected at most 4096 vCPUs"));
}

TEST_CASE("read_vcpus: of arm64, what tells of page tables, under every likely name") {
  const std::string tables[] = {
      inline_tag("hv:ttbrEL1[1]", {0}, 0x8000157b001, 8),
      inline_tag("hv:ttbrEL1", {0, 1}, 0x8000157b001, 8),
      inline_tag("TTBR1_EL1", {0}, 0x8000157b001, 8),
  };
  for (const std::string& tag : tables) {
    INFO(tag.substr(2, 13));
    const Read result =
        read(two_vcpus + tag + inline_tag("hv:ttbrEL1[0]", {0}, 0x4000, 8) +
                 inline_tag("hv:tcrEL1", {0}, 0x15001f5b5503510, 8) +
                 inline_tag("rip", {0}, 0x1234, 8) + block_tag("gpregs", {0}, "too short"),
             Machine::Aarch64);
    REQUIRE(result.vcpus.size() == 2);
    CHECK(result.vcpus[0].machine == Machine::Aarch64);
    CHECK(result.vcpus[0].arm64.ttbr1 == 0x8000157b001U);
    CHECK(result.vcpus[0].arm64.tcr == 0x15001f5b5503510U);
    CHECK_FALSE(result.vcpus[0].x86.rip);
    CHECK_FALSE(result.vcpus[1].arm64.ttbr1);
    CHECK(result.warnings.empty());
  }
}

TEST_CASE("read_vcpus: registers of vCPUs that no machine has are not kept") {
  std::string tags = two_vcpus;
  for (std::uint32_t i = 0; i < 100'000; ++i) tags += inline_tag("rip", {i * 40'000}, i, 8);
  const Read result = read(tags);
  CHECK(result.vcpus.size() == 2);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings.front(), Catch::Contains("registers of vCPU 3999960000 left out"));
}

}  // namespace photon_dmesg::test
