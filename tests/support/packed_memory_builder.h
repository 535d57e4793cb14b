#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "support/bytes.h"

namespace photon_dmesg::test {

inline constexpr std::size_t block_size = 0x400000;

// FastLZ level 2, instruction by instruction, and what it unpacks to.
class FastlzWriter {
 public:
  explicit FastlzWriter(std::string before = "") : text_(std::move(before)), skip_(text_.size()) {}

  FastlzWriter& literals(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); at += 32) {
      const std::string run = text.substr(at, 32);
      packed_ += static_cast<char>(run.size() - 1);
      packed_ += run;
    }
    text_ += text;
    return *this;
  }

  FastlzWriter& match(std::size_t length, std::size_t distance) {
    for (std::size_t i = 0; i < length; ++i) {
      text_ += distance > text_.size() ? '\0' : text_[text_.size() - distance];
    }
    const std::size_t back = distance - 1;
    const std::size_t near = std::min<std::size_t>(back, 8191);
    std::size_t code = length - 2;
    packed_ += static_cast<char>(std::min<std::size_t>(code, 7) << 5 | near >> 8);
    if (code >= 7) {
      for (code -= 7; code >= 255; code -= 255) packed_ += '\xff';
      packed_ += static_cast<char>(code);
    }
    packed_ += static_cast<char>(near & 0xff);
    if (near == 8191) {
      packed_ += static_cast<char>((back - near) >> 8);
      packed_ += static_cast<char>((back - near) & 0xff);
    }
    return *this;
  }

  [[nodiscard]] std::string packed() const {
    std::string result = packed_;
    result[0] = static_cast<char>(result[0] | 0x20);
    return result;
  }
  [[nodiscard]] std::string text() const { return text_.substr(skip_); }

 private:
  std::string packed_;
  std::string text_;
  std::size_t skip_;
};

inline std::string packed_block(const std::string& packed, std::size_t size) {
  return little_endian(size, 4) + little_endian(0, 4) + little_endian(packed.size(), 4) +
         little_endian(0, 4) + packed;
}

// A whole block that packs to little, begun with `text`.
inline FastlzWriter full_block(const std::string& text, std::string before = "") {
  FastlzWriter writer(std::move(before));
  writer.literals(text);
  writer.match(block_size - text.size(), text.size());
  return writer;
}

}  // namespace photon_dmesg::test
