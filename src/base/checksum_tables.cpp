#include <array>

#include "base/checksum.h"
#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t reflected_polynomial = 0xc96c5795d7870f42;  // ECMA-182's
constexpr std::size_t word_bytes = sizeof(std::uint64_t);
constexpr unsigned byte_bits = 8;
constexpr std::uint64_t byte_mask = 0xff;
constexpr std::size_t byte_values = byte_mask + 1;

// Of each byte, what it adds to the checksum when 0 to 7 bytes stand behind it: a word at a time
// instead of a byte.
using Tables = std::array<std::array<std::uint64_t, byte_values>, word_bytes>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::size_t byte = 0; byte < byte_values; ++byte) {
    std::uint64_t sum = byte;
    for (unsigned bit = 0; bit < byte_bits; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? reflected_polynomial : 0);
    }
    tables[0][byte] = sum;
  }
  for (std::size_t behind = 1; behind < word_bytes; ++behind) {
    for (std::size_t byte = 0; byte < byte_values; ++byte) {
      const std::uint64_t sum = tables[behind - 1][byte];
      tables[behind][byte] = (sum >> byte_bits) ^ tables[0][sum & byte_mask];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t before) {
  std::uint64_t sum = ~before;
  for (; bytes.size() >= word_bytes; bytes = bytes.subspan(word_bytes)) {
    const std::uint64_t word = sum ^ load_u64(bytes.first<word_bytes>());
    sum = 0;
    for (std::size_t i = 0; i < word_bytes; ++i) {
      sum ^= tables[word_bytes - 1 - i][(word >> (byte_bits * i)) & byte_mask];
    }
  }
  for (const std::byte byte : bytes) {
    sum = (sum >> byte_bits) ^ tables[0][(sum ^ std::to_integer<std::uint64_t>(byte)) & byte_mask];
  }
  return ~sum;
}

}  // namespace photon_dmesg
