#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/byte_stream.h"

namespace photon_dmesg {

// A cursor over a ByteStream that takes exact numbers of bytes off it. Every method but take_some()
// throws Error(UnusableInput) that names what was wanted, when the stream ends before it.
class StreamReader {
 public:
  // `stream` must outlive the reader.
  explicit StreamReader(ByteStream& stream) : stream_(&stream) {}

  [[nodiscard]] std::vector<std::byte> take(std::uint64_t count, const char* what);
  // The same, behind what `target` has.
  void append_to(std::vector<std::byte>& target, std::uint64_t count, const char* what);
  [[nodiscard]] std::string take_text(std::uint64_t count, const char* what);
  void skip(std::uint64_t count, const char* what);

  // The next `count` bytes without taking them, fewer only at the end. Valid until the next call.
  [[nodiscard]] std::span<const std::byte> peek(std::size_t count);

  // The bytes at hand, at least one and at most `limit` of them, without copying; empty if `limit`
  // is 0. Valid until the next call. Throws when the stream has ended.
  [[nodiscard]] std::span<const std::byte> take_some(std::uint64_t limit, const char* what);

  // The same, but empty at the end of the stream too.
  [[nodiscard]] std::span<const std::byte> next();

  // How many bytes have been taken.
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  ByteStream* stream_;
  std::span<const std::byte> rest_;  // in the stream's memory, or in peeked_
  std::vector<std::byte> peeked_;
  std::uint64_t position_ = 0;
};

}  // namespace photon_dmesg
