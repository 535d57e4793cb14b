#include "report/formats/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace photon_dmesg {

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t group_bytes = 3;
  std::string text;
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), group_bytes);
    std::array<std::uint32_t, group_bytes> group{};
    std::transform(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count), group.begin(),
                   [](char byte) { return static_cast<unsigned char>(byte); });
    const std::uint32_t bits = group[0] << 16 | group[1] << 8 | group[2];
    for (std::size_t i = 0; i <= group_bytes; ++i) {
      text += i <= count ? alphabet[bits >> (18 - 6 * i) & 0x3f] : '=';
    }
    bytes.remove_prefix(count);
  }
  return text;
}

}  // namespace photon_dmesg
