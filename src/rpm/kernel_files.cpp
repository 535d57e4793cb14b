#include "rpm/kernel_files.h"

#include <regex>

namespace photon_dmesg {

std::optional<std::string> release_of_vmlinux_path(std::string_view path) {
  static const std::regex pattern(
      R"((^|.*/)usr/lib/debug/+(usr/)?lib/modules/([^/]+)/vmlinux(-[^/]+)?(\.debug)?)");
  std::match_results<std::string_view::const_iterator> match;
  if (!std::regex_match(path.begin(), path.end(), match, pattern)) {
    return std::nullopt;
  }
  return match[3].str();
}

}  // namespace photon_dmesg
