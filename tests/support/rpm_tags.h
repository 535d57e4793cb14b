#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace photon_dmesg::test {

using RpmTags = std::set<std::uint32_t>;

// Digests and signatures in a package's signature, and digests in its header (rpm's rpmtag.h).
inline const RpmTags signature_proofs = {267, 268, 269, 273, 1002, 1004, 1005};
inline const RpmTags header_proofs = {1035, 5092, 5093, 5097};

// Where the entries of a package's tags stand, of its signature and of its header: each is a tag, a
// type, an offset and a count, of 4 bytes, the most significant one first.
struct RpmEntries {
  std::vector<std::size_t> of_signature;
  std::vector<std::size_t> of_header;
};

inline std::uint32_t rpm_number(const std::string& package, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(package.at(at + i));
  }
  return value;
}

inline RpmEntries find_rpm_entries(const std::string& package) {
  constexpr std::size_t lead = 96;
  constexpr std::size_t intro = 16;
  constexpr std::size_t entry = 16;
  RpmEntries entries;
  std::size_t at = lead;
  for (auto* found : {&entries.of_signature, &entries.of_header}) {
    const std::uint32_t count = rpm_number(package, at + 8);
    for (std::uint32_t i = 0; i < count; ++i) found->push_back(at + intro + i * entry);
    at += intro + count * entry + rpm_number(package, at + 12);
    at = (at + 7) / 8 * 8;  // the signature is padded
  }
  return entries;
}

// A package that has other tags, which librpm does not know, in the place of some of its signature
// and of its header: what they said is gone, and nothing moves.
inline std::string without_tags(std::string package, const RpmTags& of_signature,
                                const RpmTags& of_header) {
  const RpmEntries entries = find_rpm_entries(package);
  const auto rename = [&](const std::vector<std::size_t>& places, const RpmTags& tags) {
    for (const std::size_t place : places) {
      if (tags.contains(rpm_number(package, place))) {
        package.at(place) = '\x40';  // far above any that is known
      }
    }
  };
  rename(entries.of_signature, of_signature);
  rename(entries.of_header, of_header);
  return package;
}

// A package whose header says of one of its tags that it is of another type.
inline std::string with_type(std::string package, std::uint32_t tag, char type) {
  for (const std::size_t place : find_rpm_entries(package).of_header) {
    if (rpm_number(package, place) == tag) package.at(place + 7) = type;
  }
  return package;
}

// The beginning of a package, with a header that has nothing but these files: `names`, each in
// `folder`.
inline std::string package_of_files(const std::string& folder,
                                    const std::vector<std::string>& names) {
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  const auto header = [&](const std::string& entries, const std::string& data) {
    return "\x8e\xad\xe8\x01" + std::string(4, '\0') +
           number(static_cast<std::uint32_t>(entries.size() / 16)) +
           number(static_cast<std::uint32_t>(data.size())) + entries + data;
  };
  const auto entry = [&](std::uint32_t tag, std::uint32_t type, std::size_t at, std::size_t count) {
    return number(tag) + number(type) + number(static_cast<std::uint32_t>(at)) +
           number(static_cast<std::uint32_t>(count));
  };
  std::string data(4 * names.size(), '\0');  // all in the first folder
  std::string entries = entry(1116, 4, 0, names.size()) + entry(1117, 8, data.size(), names.size());
  for (const std::string& name : names) data += name + '\0';
  entries += entry(1118, 8, data.size(), 1);
  data += folder + '\0';
  const std::string signature = header(entry(1000, 4, 0, 1), number(0));
  std::string lead = "\xed\xab\xee\xdb" + std::string(92, '\0');
  return lead + signature + std::string((8 - signature.size() % 8) % 8, '\0') +
         header(entries, data);
}

}  // namespace photon_dmesg::test
