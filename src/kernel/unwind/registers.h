#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "checkpoint/guest/privilege.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// The numbers of x86-64's general registers, as X86Registers has them.
enum X86Register : std::size_t {
  Rax,
  Rcx,
  Rdx,
  Rbx,
  Rsp,
  Rbp,
  Rsi,
  Rdi,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15
};

// What a processor had in its registers at one place of a trace. What is not known is absent.
struct Registers {
  std::array<std::optional<std::uint64_t>, 16> general;
  GuestVirtual ip;
  std::uint16_t cs = 0;

  [[nodiscard]] bool is_user() const { return is_user_code(cs); }
};

// Bytes of a struct pt_regs, as entry code leaves it on the stack (arch/x86/include/asm/ptrace.h).
inline constexpr std::uint64_t pt_regs_size = 168;
// Where in it the processor's own part begins, which is all of it that some entries have: ip, cs,
// flags, sp, ss.
inline constexpr std::uint64_t pt_regs_hardware_part = 128;

// The pt_regs at `address`; nothing if it can't be read.
[[nodiscard]] std::optional<Registers> read_pt_regs(const KernelMemory& memory,
                                                    GuestVirtual address);

// The same of one that has the processor's own part only, which begins at `address`.
[[nodiscard]] std::optional<Registers> read_hardware_part(const KernelMemory& memory,
                                                          GuestVirtual address);

// What the checkpoint has of `vcpu`; nothing without the instruction and the stack pointer.
[[nodiscard]] std::optional<Registers> registers_of(const Vcpu& vcpu);

}  // namespace photon_dmesg
