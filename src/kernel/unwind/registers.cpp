#include "kernel/unwind/registers.h"

#include <span>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t word = sizeof(std::uint64_t);

// In the order of struct pt_regs, up to orig_ax.
constexpr std::array<X86Register, 15> saved_order = {R15, R14, R13, R12, Rbp, Rbx, R11, R10,
                                                     R9,  R8,  Rax, Rcx, Rdx, Rsi, Rdi};

std::uint64_t word_in(std::span<const std::byte> bytes, std::size_t index) {
  return load_unsigned(bytes.subspan(index * word, word));
}

void take_hardware_part(Registers& registers, std::span<const std::byte> bytes) {
  registers.ip = {word_in(bytes, 0)};
  // With FRED the upper bits hold more than the selector.
  registers.cs = static_cast<std::uint16_t>(word_in(bytes, 1));
  registers.general[Rsp] = word_in(bytes, 3);
}

constexpr std::size_t hardware_words = 5;

}  // namespace

std::optional<Registers> read_pt_regs(const KernelMemory& memory, GuestVirtual address) {
  std::array<std::byte, pt_regs_size> bytes{};
  if (!memory.read(address, bytes)) return std::nullopt;
  Registers registers;
  for (std::size_t i = 0; i < saved_order.size(); ++i) {
    registers.general[saved_order[i]] = word_in(bytes, i);
  }
  take_hardware_part(registers, std::span(bytes).subspan(pt_regs_hardware_part));
  return registers;
}

std::optional<Registers> read_hardware_part(const KernelMemory& memory, GuestVirtual address) {
  std::array<std::byte, hardware_words * word> bytes{};
  if (!memory.read(address, bytes)) return std::nullopt;
  Registers registers;
  take_hardware_part(registers, bytes);
  return registers;
}

std::optional<Registers> registers_of(const Vcpu& vcpu) {
  const X86Registers& found = vcpu.x86;
  if (!found.rip || !found.general[Rsp]) return std::nullopt;
  Registers registers;
  registers.general = found.general;
  registers.ip = *found.rip;
  registers.cs = found.cs.value_or(0);
  return registers;
}

}  // namespace photon_dmesg
