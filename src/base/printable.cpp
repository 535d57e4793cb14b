#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace photon_dmesg {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

struct Lead {
  std::size_t length;
  std::uint8_t second_low;
  std::uint8_t second_high;
};

// RFC 3629 section 4: the first byte fixes the length and the range of the second byte.
Lead classify_lead(std::uint8_t first) {
  if (first < 0x80) return {1, 0, 0};
  if (first >= 0xc2 && first <= 0xdf) return {2, 0x80, 0xbf};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first >= 0xe1 && first <= 0xef) return {3, 0x80, 0xbf};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first >= 0xf1 && first <= 0xf3) return {4, 0x80, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array controls = {
    Range{0x00, 0x1f},     Range{0x7f, 0x9f},      // C0, DEL, C1, of which U+0085 ends a line
    Range{0x061c, 0x061c}, Range{0x200e, 0x200f},  // marks of a direction
    Range{0x2028, 0x202e},                         // ends of a line, and overrides of a direction
    Range{0x2066, 0x2069},                         // isolates of a direction
};

}  // namespace

char32_t code_point(std::string_view character) {
  const std::uint8_t first = byte_at(character, 0);
  if (character.size() == 1) return first;
  char32_t point = first & (0x7fU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) {
    point = point << 6 | (byte_at(character, i) & 0x3fU);
  }
  return point;
}

bool is_control(std::string_view character) {
  const char32_t point = code_point(character);
  return std::any_of(controls.begin(), controls.end(), [&](const Range& range) {
    return point >= range.first && point <= range.last;
  });
}

std::string hex_escape(char byte) {
  return fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<std::uint8_t>(byte)));
}

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const Lead lead = classify_lead(byte_at(text, 0));
  if (lead.length <= 1) return lead.length;
  if (text.size() < lead.length) return 0;
  if (byte_at(text, 1) < lead.second_low || byte_at(text, 1) > lead.second_high) return 0;
  for (std::size_t i = 2; i < lead.length; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80) return 0;
  }
  return lead.length;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || is_control(text.substr(0, length))) {
      result += hex_escape(text.front());
      text.remove_prefix(1);
    } else {
      result += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return result;
}

}  // namespace photon_dmesg
