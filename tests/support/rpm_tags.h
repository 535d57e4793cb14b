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

// Numbers as a package has them, the most significant byte first: `bytes` of each.
inline std::string rpm_numbers(const std::vector<std::uint32_t>& values, int bytes = 4) {
  std::string text;
  for (const std::uint32_t value : values) {
    for (int i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i) & 0xff);
  }
  return text;
}

// A tag with its values: numbers of 2 bytes (type 3) or 4 (type 4), or texts that end with NUL (8).
struct RpmTag {
  std::uint32_t number;
  std::uint32_t type;
  std::size_t count;
  std::string values;
};

// A package's signature or header.
inline std::string rpm_header(const std::vector<RpmTag>& tags) {
  std::string entries;
  std::string data;
  for (const RpmTag& tag : tags) {
    data.resize((data.size() + 3) / 4 * 4);
    entries += rpm_numbers({tag.number, tag.type, static_cast<std::uint32_t>(data.size()),
                            static_cast<std::uint32_t>(tag.count)});
    data += tag.values;
  }
  return "\x8e\xad\xe8\x01" + std::string(4, '\0') +
         rpm_numbers(
             {static_cast<std::uint32_t>(tags.size()), static_cast<std::uint32_t>(data.size())}) +
         entries + data;
}

// A package whose header has nothing but these files: `names`, each in `folder`, and `more` tags.
inline std::string package_of_files(const std::string& folder,
                                    const std::vector<std::string>& names,
                                    const std::vector<RpmTag>& more = {},
                                    const std::string& payload = "") {
  std::vector<RpmTag> tags = more;  // in the order of their numbers, as librpm wants them
  std::string all_names;
  for (const std::string& name : names) all_names += name + '\0';
  tags.push_back({1116, 4, names.size(), std::string(4 * names.size(), '\0')});  // all in the first
  tags.push_back({1117, 8, names.size(), all_names});
  tags.push_back({1118, 8, 1, folder + '\0'});
  const std::string signature = rpm_header({{1000, 4, 1, rpm_numbers({0})}});
  return "\xed\xab\xee\xdb" + std::string(92, '\0') + signature +
         std::string((8 - signature.size() % 8) % 8, '\0') + rpm_header(tags) + payload;
}

}  // namespace photon_dmesg::test
