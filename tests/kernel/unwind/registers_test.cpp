#include "kernel/unwind/registers.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {

TEST_CASE("registers: a pt_regs in the order that entry code pushes it") {
  TaskGuest guest;
  const GuestVirtual at = guest.allocate(pt_regs_size);
  for (std::uint64_t i = 0; i < pt_regs_size / 8; ++i) guest.write(at + i * 8, 0x1000 + i);
  const auto registers = read_pt_regs(guest.memory(), at);
  REQUIRE(registers);
  CHECK(registers->general[R15] == 0x1000U);
  CHECK(registers->general[R12] == 0x1003U);
  CHECK(registers->general[Rbp] == 0x1004U);
  CHECK(registers->general[Rbx] == 0x1005U);
  CHECK(registers->general[R11] == 0x1006U);
  CHECK(registers->general[R8] == 0x1009U);
  CHECK(registers->general[Rax] == 0x100aU);
  CHECK(registers->general[Rcx] == 0x100bU);
  CHECK(registers->general[Rdx] == 0x100cU);
  CHECK(registers->general[Rsi] == 0x100dU);
  CHECK(registers->general[Rdi] == 0x100eU);
  CHECK(registers->ip == GuestVirtual{0x1010});
  CHECK(registers->cs == 0x1011);
  CHECK(registers->general[Rsp] == 0x1013U);
}

TEST_CASE("registers: with FRED the upper bits of cs hold something else") {
  TaskGuest guest;
  const GuestVirtual at = guest.allocate(pt_regs_size);
  guest.write(at + 136, 0x0003'0000'0000'0010);
  CHECK(read_pt_regs(guest.memory(), at)->cs == 0x10);
  CHECK_FALSE(read_pt_regs(guest.memory(), at)->is_user());
  guest.write(at + 136, 0x33);
  CHECK(read_pt_regs(guest.memory(), at)->is_user());
}

TEST_CASE("registers: of the processor's own part nothing else is known") {
  TaskGuest guest;
  const GuestVirtual at = guest.allocate(pt_regs_size);
  guest.write_registers(at, 0x1234, 0x5678, 0x9abc);
  const auto registers = read_hardware_part(guest.memory(), at + pt_regs_hardware_part);
  REQUIRE(registers);
  CHECK(registers->ip == GuestVirtual{0x1234});
  CHECK(registers->general[Rsp] == 0x5678U);
  CHECK(registers->cs == 0x10);
  CHECK_FALSE(registers->general[Rbp]);
}

TEST_CASE("registers: there are none where memory ends, or a vCPU lacks where it is") {
  TaskGuest guest;
  CHECK_FALSE(read_pt_regs(guest.memory(), TaskGuest::nowhere));
  CHECK_FALSE(read_hardware_part(guest.memory(), TaskGuest::nowhere));
  Vcpu vcpu;
  CHECK_FALSE(registers_of(vcpu));
  vcpu.x86.rip = GuestVirtual{1};
  CHECK_FALSE(registers_of(vcpu));
  vcpu.x86.general[Rsp] = 2;
  REQUIRE(registers_of(vcpu));
  CHECK(registers_of(vcpu)->ip == GuestVirtual{1});
}

}  // namespace photon_dmesg::test
