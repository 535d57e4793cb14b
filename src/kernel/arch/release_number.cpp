#include "kernel/arch/release_number.h"

#include <charconv>

namespace photon_dmesg {

ReleaseNumber release_number(std::string_view release) {
  ReleaseNumber number;
  const char* end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, number.major);
  if (error != std::errc() || dot == end || *dot != '.') return {};
  const auto [behind, minor_error] = std::from_chars(dot + 1, end, number.minor);
  return minor_error == std::errc() ? number : ReleaseNumber{};
}

}  // namespace photon_dmesg
