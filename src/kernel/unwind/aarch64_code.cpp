#include "kernel/unwind/aarch64_code.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/little_endian.h"

namespace photon_dmesg::aarch64 {
namespace {

constexpr std::uint64_t instruction_bytes = 4;

// Instructions as the Arm Architecture Reference Manual (C4.1, C6.2) encodes them.
struct Encoding {
  std::uint32_t mask;
  std::uint32_t value;

  [[nodiscard]] constexpr bool fits(std::uint64_t instruction) const {
    return (instruction & mask) == value;
  }
};
constexpr Encoding branch_with_link{0xfc000000, 0x94000000};       // BL
constexpr Encoding branch_to_register{0xfffffc1f, 0xd63f0000};     // BLR
constexpr Encoding authenticated_branch{0xfefff800, 0xd63f0800};   // BLRAA and its like
constexpr Encoding frame_pointer_from_sp{0xff8003ff, 0x910003fd};  // ADD x29, sp, #...; MOV x29, sp
constexpr Encoding authenticate_with_sp{0xffffffbf, 0xd50323bf};   // AUTIASP, AUTIBSP
constexpr Encoding return_by_link{0xffffffff, 0xd65f03c0};         // RET
constexpr Encoding authenticated_return{0xfffffbff, 0xd65f0bff};   // RETAA, RETAB

bool leaves(std::uint64_t instruction) {
  return authenticate_with_sp.fits(instruction) || return_by_link.fits(instruction) ||
         authenticated_return.fits(instruction);
}

}  // namespace

GuestVirtual strip_authentication(const KernelMemory& memory, std::uint64_t value) {
  // Code has ones from there on, whatever a kernel built for 52 bits may map.
  constexpr unsigned most_bits = 48;
  constexpr std::uint64_t is_kernel = std::uint64_t{1} << 55U;  // no code is ever put there
  const unsigned bits = std::min(memory.tables().form().address_bits, most_bits);
  return {(value & is_kernel) != 0 ? value | ~std::uint64_t{0} << bits : value};
}

std::optional<bool> is_behind_call(const KernelMemory& memory, GuestVirtual return_address) {
  const auto call =
      memory.read_unsigned({return_address.value - instruction_bytes}, instruction_bytes);
  if (!call) return std::nullopt;
  return branch_with_link.fits(*call) || branch_to_register.fits(*call) ||
         authenticated_branch.fits(*call);
}

bool is_without_frame(const KernelMemory& memory, GuestVirtual begin, GuestVirtual ip) {
  constexpr std::uint64_t longest = 0x10000;  // no function of the kernel is
  if (ip < begin || ip - begin > longest || (ip - begin) % instruction_bytes != 0) return false;
  std::vector<std::byte> code(ip - begin + instruction_bytes);
  if (!memory.read(begin, code)) return false;
  const auto instruction = [&](std::uint64_t at) {
    return load_unsigned(std::span(code).subspan(at, instruction_bytes));
  };
  if (leaves(instruction(ip - begin))) return true;
  for (std::uint64_t at = 0; at < ip - begin; at += instruction_bytes) {
    if (frame_pointer_from_sp.fits(instruction(at))) return false;
  }
  return true;
}

}  // namespace photon_dmesg::aarch64
