#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// The bytes of a ByteSource from its beginning to its end.
class FileStream final : public ByteStream {
 public:
  // `source` must outlive the stream.
  explicit FileStream(const ByteSource& source) : source_(source) {}

  std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return source_.name(); }

  // How many bytes next() has given.
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  const ByteSource& source_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace photon_dmesg
