#include "kernel/unwind/call_sites.h"

#include <array>
#include <cstdint>
#include <span>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

// As long as the longest call: FF /2 with a 32-bit displacement and a SIB byte.
constexpr std::size_t longest_call = 7;
using Bytes = std::array<std::byte, longest_call>;

std::optional<Bytes> bytes_before(const KernelMemory& memory, GuestVirtual address) {
  Bytes bytes{};
  if (!memory.read({address.value - longest_call}, bytes)) return std::nullopt;
  return bytes;
}

constexpr std::size_t direct_call = 5;  // E8 and a signed 32-bit distance

bool is_direct_call(const Bytes& bytes) {
  return bytes[longest_call - direct_call] == std::byte{0xe8};
}

// FF /2, with each length that its operand may give it.
bool is_indirect_call(const Bytes& bytes) {
  constexpr std::byte opcode{0xff};
  constexpr std::byte operation_mask{0x38};
  constexpr std::byte call_operation{0x10};
  for (std::size_t length = 2; length <= longest_call; ++length) {
    const std::size_t at = longest_call - length;
    if (bytes[at] == opcode && (bytes[at + 1] & operation_mask) == call_operation) return true;
  }
  return false;
}

}  // namespace

std::optional<GuestVirtual> direct_call_target(const KernelMemory& memory,
                                               GuestVirtual return_address) {
  const auto bytes = bytes_before(memory, return_address);
  if (!bytes || !is_direct_call(*bytes)) return std::nullopt;
  const auto distance = static_cast<std::int32_t>(
      static_cast<std::uint32_t>(load_unsigned(std::span(*bytes).last(direct_call - 1))));
  return return_address + static_cast<std::uint64_t>(std::int64_t{distance});
}

bool is_behind_indirect_call(const KernelMemory& memory, const CodeMap& code,
                             GuestVirtual return_address) {
  const auto bytes = bytes_before(memory, return_address);
  if (!bytes) return false;
  if (is_indirect_call(*bytes)) return true;
  const auto target = direct_call_target(memory, return_address);
  const auto place = target ? code.place(*target) : std::nullopt;
  return place && place->offset == 0 && place->symbol.starts_with("__x86_indirect_");
}

std::optional<bool> is_behind_call(const KernelMemory& memory, GuestVirtual return_address) {
  const auto bytes = bytes_before(memory, return_address);
  if (!bytes) return std::nullopt;
  return is_direct_call(*bytes) || is_indirect_call(*bytes);
}

std::optional<GuestVirtual> find_call_of(const KernelMemory& memory, const CodeMap& code,
                                         GuestVirtual begin, GuestVirtual sp,
                                         std::uint64_t most_words) {
  constexpr std::uint64_t word = sizeof(std::uint64_t);
  for (std::uint64_t i = 0; i < most_words; ++i) {
    const GuestVirtual slot = sp + i * word;
    const auto value = memory.read_unsigned(slot, word);
    if (!value) break;
    if (!code.is_text({*value - 1})) continue;
    if (direct_call_target(memory, {*value}) == begin) return slot;
  }
  return std::nullopt;
}

bool may_be_return_address(const KernelMemory& memory, const CodeMap& code, GuestVirtual value) {
  return code.is_text({value.value - 1}) && is_behind_call(memory, value).value_or(false);
}

}  // namespace photon_dmesg
