#pragma once

#include <algorithm>
#include <string>

#include "base/byte_stream.h"
#include "base/error.h"
#include "support/bytes.h"

namespace photon_dmesg::test {

// A stream of `content` that gives at most `step` bytes at once, and fails at its end if it is told
// to.
class ShortStream final : public ByteStream {
 public:
  explicit ShortStream(std::string content, std::size_t step = 4096, bool fails = false)
      : content_(std::move(content)), step_(step), fails_(fails) {}

  [[nodiscard]] std::span<const std::byte> next() override {
    const std::string_view part = std::string_view(content_).substr(position_, step_);
    if (part.empty() && fails_) throw unusable("the stream failed");
    position_ += part.size();
    return as_bytes(part);
  }
  [[nodiscard]] const std::string& name() const override { return name_; }
  // How many bytes have been given.
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  std::string content_;
  std::size_t step_;
  bool fails_;
  std::size_t position_ = 0;
  std::string name_ = "stream";
};

inline std::string read_all(ByteStream& stream) {
  std::string content;
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) content += as_text(bytes);
  return content;
}

}  // namespace photon_dmesg::test
