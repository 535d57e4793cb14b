#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"

namespace photon_dmesg {

// What processors a guest has.
enum class Machine { X86_64, Aarch64 };

// The registers of x86-64. One that the file does not hold is absent, not zero.
struct X86Registers {
  // rax rcx rdx rbx rsp rbp rsi rdi r8..r15, the order of x86's register numbers.
  std::array<std::optional<std::uint64_t>, 16> general;
  // The format leaves open which of general[4] and general[5] (rsp, rbp) is which.
  bool stack_registers_in_doubt = false;
  std::optional<GuestVirtual> rip;
  std::optional<std::uint64_t> rflags;
  std::array<std::optional<std::uint64_t>, 9> cr;  // cr[3] is CR3
  std::optional<GuestVirtual> idt_base;
  std::optional<std::uint16_t> cs;
  std::optional<std::uint16_t> ss;
  std::optional<GuestVirtual> fs_base;
  std::optional<GuestVirtual> gs_base;
};

// The registers of arm64. One that the file does not hold is absent, not zero.
struct Arm64Registers {
  std::array<std::optional<std::uint64_t>, 31> general;  // x0..x30
  std::optional<GuestVirtual> sp;
  std::optional<GuestVirtual> pc;
  std::optional<std::uint64_t> pstate;
  std::optional<std::uint64_t> ttbr1;  // TTBR1_EL1: the page tables of kernel addresses
  std::optional<std::uint64_t> tcr;    // TCR_EL1: their form
};

// What a checkpoint says of one vCPU. What its registers mean, its Architecture knows.
struct Vcpu {
  std::uint32_t index = 0;            // the guest's CPU number, as crash takes it
  Machine machine = Machine::X86_64;  // tells which of the following it has
  X86Registers x86;
  Arm64Registers arm64;
};

}  // namespace photon_dmesg
