#pragma once

#include <compare>
#include <string_view>

namespace photon_dmesg {

// The first two numbers of a release, as "4.19" of "4.19.0-5-esx".
struct ReleaseNumber {
  unsigned major = 0;
  unsigned minor = 0;

  friend constexpr auto operator<=>(const ReleaseNumber&, const ReleaseNumber&) = default;
};

// 0.0 of what is no release.
[[nodiscard]] ReleaseNumber release_number(std::string_view release);

}  // namespace photon_dmesg
