#include "kernel/symbols/banner.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <iomanip>
#include <locale>
#include <regex>
#include <sstream>

namespace photon_dmesg {
std::optional<KernelBanner> parse_banner(std::string_view bytes) {
  if (!bytes.starts_with(banner_prefix)) {
    return std::nullopt;
  }
  bytes = bytes.substr(0, banner_bytes_limit);
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos || end + 1 >= bytes.size() || bytes[end + 1] != '\0') {
    return std::nullopt;
  }
  const std::string_view text = bytes.substr(0, end);
  const std::string_view rest = text.substr(banner_prefix.size());
  const std::string_view release = rest.substr(0, rest.find(' '));
  const bool printable =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isprint(c) != 0; });
  if (!printable || release.empty() || std::isdigit(static_cast<unsigned char>(release[0])) == 0 ||
      !rest.substr(release.size()).starts_with(" (")) {
    return std::nullopt;
  }
  return KernelBanner{std::string(text), std::string(release)};
}

std::optional<std::int64_t> build_time(const KernelBanner& banner) {
  static const std::regex pattern(
      R"(.*(Mon|Tue|Wed|Thu|Fri|Sat|Sun) +([A-Z][a-z]{2} +\d+ +\d+:\d+:\d+) +UTC +(\d{4}))");
  std::smatch found;
  if (!std::regex_match(banner.text, found, pattern)) return std::nullopt;
  std::tm time{};
  std::istringstream in(found[2].str() + " " + found[3].str());
  in.imbue(std::locale::classic());
  in >> std::get_time(&time, "%b %d %H:%M:%S %Y");
  if (in.fail()) return std::nullopt;
  return static_cast<std::int64_t>(::timegm(&time));
}

std::optional<KernelBanner> banner_of(const KernelSymbols& symbols) {
  const std::optional<std::string> bytes = symbols.banner_bytes();
  return bytes ? parse_banner(*bytes) : std::nullopt;
}

}  // namespace photon_dmesg
