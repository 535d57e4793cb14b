#include "base/byte_reader.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/little_endian.h"

namespace photon_dmesg {

ByteReader::ByteReader(const ByteSource& source, std::uint64_t begin, std::uint64_t end)
    : source_(source), position_(begin), end_(end) {
  if (begin > end || end > source.size()) {
    throw unusable(fmt::format("truncated: expected data from {:#x} to {:#x}, but it ends at {:#x}",
                               begin, end, source.size()));
  }
}

void ByteReader::require(std::uint64_t length, const char* what) const {
  if (length > remaining()) {
    throw unusable(
        fmt::format("truncated: expected {} ({} bytes) at offset {:#x}, found the end at {:#x}",
                    what, length, position_, end_));
  }
}

std::uint64_t ByteReader::unsigned_of(std::size_t width, const char* what) {
  std::array<std::byte, 8> bytes{};
  if (width > bytes.size()) {
    throw unusable(fmt::format("{} at offset {:#x}: expected at most 8 bytes, found {}", what,
                               position_, width));
  }
  require(width, what);
  source_.read_at(position_, std::span(bytes).first(width));
  position_ += width;
  return load_u64(bytes);
}

std::uint8_t ByteReader::u8(const char* what) {
  return static_cast<std::uint8_t>(unsigned_of(1, what));
}

std::uint16_t ByteReader::u16(const char* what) {
  return static_cast<std::uint16_t>(unsigned_of(2, what));
}

std::uint32_t ByteReader::u32(const char* what) {
  return static_cast<std::uint32_t>(unsigned_of(4, what));
}

std::uint64_t ByteReader::u64(const char* what) {
  return unsigned_of(8, what);
}

std::string ByteReader::text(std::size_t length, const char* what) {
  require(length, what);
  std::string text(length, '\0');
  source_.read_at(position_, std::as_writable_bytes(std::span(text)));
  position_ += length;
  return text;
}

void ByteReader::skip(std::uint64_t length, const char* what) {
  require(length, what);
  position_ += length;
}

}  // namespace photon_dmesg
