#include "base/file_stream.h"

#include <algorithm>

namespace photon_dmesg {

std::span<const std::byte> FileStream::next() {
  constexpr std::uint64_t step = 256 * 1024;
  buffer_.resize(static_cast<std::size_t>(std::min(step, end_ - position_)));
  source_.read_at(position_, buffer_);
  position_ += buffer_.size();
  return buffer_;
}

}  // namespace photon_dmesg
