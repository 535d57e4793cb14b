#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// The bytes of a ByteSource from its beginning to its end, or of a part of it.
class FileStream final : public ByteStream {
 public:
  // `source` must outlive the stream.
  explicit FileStream(const ByteSource& source) : FileStream(source, 0, source.size()) {}
  // `size` bytes from `begin` on.
  FileStream(const ByteSource& source, std::uint64_t begin, std::uint64_t size)
      : source_(source), position_(begin), end_(begin + size) {}

  std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return source_.name(); }

  // Where in the source next() goes on.
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  const ByteSource& source_;
  std::uint64_t position_;
  std::uint64_t end_;
  std::vector<std::byte> buffer_;
};

}  // namespace photon_dmesg
