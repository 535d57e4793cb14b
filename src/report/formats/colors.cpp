#include "report/formats/colors.h"

namespace photon_dmesg::colors {

std::string_view of_text(std::uint8_t level, std::string_view text) {
  switch (level) {
    case 1:                      // alert
      return "\x1b[7m\x1b[31m";  // reverse, red
    case 2:                      // crit
      return "\x1b[1m\x1b[31m";  // bold, red
    case 3:                      // err
      return "\x1b[31m";
    case 4:  // warn
      return "\x1b[1m";
    default:
      break;
  }
  // Messages that matter more than their level says.
  return text.find("segfault at") != std::string_view::npos ? "\x1b[2m\x1b[31m" : "";
}

std::size_t subsystem_length(std::string_view text) {
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':', colon + 1)) {
    // The blank must not be the last character.
    if (colon + 2 >= text.size()) return 0;
    if (text[colon + 1] == ' ' || text[colon + 1] == '\t') return colon + 2;
  }
  return 0;
}

}  // namespace photon_dmesg::colors
