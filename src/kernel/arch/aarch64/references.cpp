#include "kernel/arch/aarch64/references.h"

#include <array>
#include <cstdint>

#include "base/little_endian.h"

namespace photon_dmesg::aarch64 {
namespace {

constexpr std::size_t instruction_bytes = 4;
constexpr unsigned register_mask = 31;
constexpr std::size_t registers = 32;

// An instruction, as the Arm Architecture Reference Manual (C4.1, C6.2) encodes it.
class Instruction {
 public:
  explicit Instruction(std::uint64_t word) : word_(static_cast<std::uint32_t>(word)) {}

  [[nodiscard]] unsigned target() const { return word_ & register_mask; }
  [[nodiscard]] unsigned base() const { return word_ >> 5U & register_mask; }

  // The page that ADRP at `address` puts into target().
  [[nodiscard]] std::optional<GuestVirtual> adrp(GuestVirtual address) const {
    constexpr std::uint32_t mask = 0x9f000000;
    constexpr std::uint32_t adrp = 0x90000000;
    if ((word_ & mask) != adrp) return std::nullopt;
    // immhi:immlo, a signed number of 21 bits, in pages.
    const std::uint32_t pages = (word_ >> 5U & 0x7ffffU) << 2U | (word_ >> 29U & 3U);
    constexpr unsigned unused = 64 - 21;
    const auto distance = static_cast<std::int64_t>(std::uint64_t{pages} << unused) >> unused;
    constexpr std::uint64_t page = 4096;
    return GuestVirtual{(address.value & ~(page - 1)) +
                        static_cast<std::uint64_t>(distance) * page};
  }

  // What is added to base(): by ADD of an immediate, or by a load or store with an offset.
  [[nodiscard]] std::optional<std::uint64_t> offset() const {
    const std::uint64_t immediate = word_ >> 10U & 0xfffU;
    constexpr std::uint32_t add_mask = 0x7fc00000;
    constexpr std::uint32_t add = 0x11000000;
    if ((word_ & add_mask) == add) return immediate;
    if (!is_memory_access()) return std::nullopt;
    return immediate << (word_ >> 30U);  // in units of what is loaded or stored
  }

  [[nodiscard]] bool is_load() const {
    constexpr std::uint32_t mask = 0xbfc00000;
    constexpr std::uint32_t load = 0xb9400000;  // LDR of 32 or 64 bits, unsigned offset
    return (word_ & mask) == load;
  }

 private:
  [[nodiscard]] bool is_memory_access() const {
    constexpr std::uint32_t mask = 0x3f000000;
    constexpr std::uint32_t access = 0x39000000;  // LDR, STR and their like, unsigned offset
    return (word_ & mask) == access;
  }

  std::uint32_t word_;
};

// Calls visit(instruction, address) for what reads or computes by the page that ADRP has put into
// a register, until it returns false.
template <typename Visit>
void for_each_use(std::span<const std::byte> code, GuestVirtual begin, const Visit& visit) {
  std::array<std::optional<GuestVirtual>, registers> pages;
  for (std::size_t at = 0; at + instruction_bytes <= code.size(); at += instruction_bytes) {
    const Instruction instruction(load_unsigned(code.subspan(at, instruction_bytes)));
    if (const auto page = instruction.adrp(begin + at)) {
      pages[instruction.target()] = page;
    } else if (const auto offset = instruction.offset(); offset && pages[instruction.base()]) {
      if (!visit(instruction, *pages[instruction.base()] + *offset)) return;
    }
  }
}

}  // namespace

// The first that is loaded into x0 or w0.
std::optional<GuestVirtual> returned_variable(std::span<const std::byte> code, GuestVirtual begin) {
  std::optional<GuestVirtual> found;
  for_each_use(code, begin, [&](const Instruction& instruction, GuestVirtual address) {
    if (instruction.is_load() && instruction.target() == 0) found = address;
    return !found;
  });
  return found;
}

// A register keeps its page however much code lies between: what jumps about may use it anywhere.
void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                        const std::function<void(GuestVirtual)>& visit) {
  for_each_use(code, begin, [&](const Instruction& /*instruction*/, GuestVirtual address) {
    visit(address);
    return true;
  });
}

}  // namespace photon_dmesg::aarch64
