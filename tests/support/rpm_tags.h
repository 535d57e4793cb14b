#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace photon_dmesg::test {

using RpmTags = std::set<std::uint32_t>;

// Digests and signatures in a package's signature, and digests in its header (rpm's rpmtag.h).
inline const RpmTags signature_proofs = {267, 268, 269, 273, 1002, 1004, 1005};
inline const RpmTags header_proofs = {1035, 5092, 5093, 5097};

// A package that has other tags, which librpm does not know, in the place of some of its signature
// and of its header: what they said is gone, and nothing moves.
inline std::string without_tags(std::string package, const RpmTags& of_signature,
                                const RpmTags& of_header) {
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = value << 8 | static_cast<unsigned char>(package.at(at + i));
    }
    return value;
  };
  constexpr std::size_t lead = 96;
  constexpr std::size_t intro = 16;
  constexpr std::size_t entry = 16;
  std::size_t at = lead;
  for (const RpmTags* tags : {&of_signature, &of_header}) {
    const std::uint32_t entries = number(at + 8);
    const std::uint32_t data = number(at + 12);
    for (std::uint32_t i = 0; i < entries; ++i) {
      const std::size_t place = at + intro + i * entry;
      if (tags->contains(number(place))) package.at(place) = '\x40';  // far above any that is known
    }
    at += intro + entries * entry + data;
    at = (at + 7) / 8 * 8;  // the signature is padded
  }
  return package;
}

}  // namespace photon_dmesg::test
