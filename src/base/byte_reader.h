#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/byte_source.h"

namespace photon_dmesg {

// A cursor over a range of a ByteSource that can't leave it. All numbers are little-endian, as
// everything this program reads is x86-64. Every method throws Error(UnusableInput) that names the
// value wanted, its offset and the end of the range, when it would pass that end.
class ByteReader {
 public:
  // Reads [begin, end) of `source`, which must outlive the reader; a range that leaves the source
  // is refused.
  ByteReader(const ByteSource& source, std::uint64_t begin, std::uint64_t end);
  explicit ByteReader(const ByteSource& source) : ByteReader(source, 0, source.size()) {}

  [[nodiscard]] std::uint8_t u8(const char* what);
  [[nodiscard]] std::uint16_t u16(const char* what);
  [[nodiscard]] std::uint32_t u32(const char* what);
  [[nodiscard]] std::uint64_t u64(const char* what);
  // An integer of `width` bytes (0 to 8), zero-extended.
  [[nodiscard]] std::uint64_t unsigned_of(std::size_t width, const char* what);
  // `length` bytes as they are.
  [[nodiscard]] std::string text(std::size_t length, const char* what);
  void skip(std::uint64_t length, const char* what);

  // Absolute offset in the source of the next byte.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t remaining() const { return end_ - position_; }

 private:
  void require(std::uint64_t length, const char* what) const;

  const ByteSource& source_;
  std::uint64_t position_;
  std::uint64_t end_;
};

}  // namespace photon_dmesg
