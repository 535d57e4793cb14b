#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace photon_dmesg {

// Takes the level away that printk's callers put before a text: the byte 1 (KERN_SOH), then '0' to
// '7', or 'c' or 'd' for none (include/linux/kern_levels.h).
[[nodiscard]] inline std::optional<std::uint8_t> take_level_prefix(std::string& text) {
  std::optional<std::uint8_t> level;
  while (text.size() >= 2 && text[0] == '\x01') {
    if (text[1] >= '0' && text[1] <= '7') level = static_cast<std::uint8_t>(text[1] - '0');
    text.erase(0, 2);
  }
  return level;
}

}  // namespace photon_dmesg
