#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "fuzz/targets.h"

namespace photon_dmesg::fuzz {

// Takes choices off the beginning of an input; behind its end all are 0.
class Input {
 public:
  explicit Input(Bytes bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    const Bytes taken = take(width);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      value |= std::to_integer<std::uint64_t>(taken[i]) << (8 * i);
    }
    return value;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }

  Bytes take(std::size_t size) {
    const Bytes taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  // Its length in one byte, or in two of which the second counts 256.
  std::string text(std::size_t length_width = 1) { return as_string(take(number(length_width))); }

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] Bytes rest() const { return rest_; }

  static std::string as_string(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  Bytes rest_;
};

}  // namespace photon_dmesg::fuzz
