#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace photon_dmesg {

// Bytes that come once, in order: a file inside an ISO, the payload of a package.
class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  // The next bytes, as many as are at hand; empty at the end. They stay valid until the next call.
  // Throws Error when the source is damaged.
  [[nodiscard]] virtual std::span<const std::byte> next() = 0;

  // What messages call this stream.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

}  // namespace photon_dmesg
