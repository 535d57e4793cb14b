#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/bytes.h"

namespace photon_dmesg::test {

// Pieces of a checkpoint file, byte for byte as VMware lays them out.

inline std::string tag_head(std::uint8_t size, std::string_view name,
                            const std::vector<std::uint32_t>& indices) {
  std::string bytes;
  bytes += static_cast<char>(indices.size() << 6 | size);
  bytes += static_cast<char>(name.size());
  bytes += name;
  for (const std::uint32_t index : indices) bytes += little_endian(index, 4);
  return bytes;
}

// A tag with its value inline.
inline std::string inline_tag(std::string_view name, const std::vector<std::uint32_t>& indices,
                              std::uint64_t value, std::uint8_t width = 4) {
  return tag_head(width, name, indices) + little_endian(value, width);
}

struct BlockForm {
  std::uint8_t kind = 63;  // 62: compressed
  std::size_t length_width = 8;
  std::uint16_t padding = 0;
};

// A tag with its value in a block.
inline std::string block_tag(std::string_view name, const std::vector<std::uint32_t>& indices,
                             std::string_view data, BlockForm form = {}) {
  return tag_head(form.kind, name, indices) + little_endian(data.size(), form.length_width) +
         little_endian(data.size(), form.length_width) + little_endian(form.padding, 2) +
         std::string(form.padding, '\xee') + std::string(data);
}

struct GroupContent {
  std::string name;
  std::string tags;
  bool end_mark = true;
};

// A whole file: header, table, groups in the order given.
inline std::string checkpoint_file(const std::vector<GroupContent>& groups,
                                   std::uint32_t magic = 0xbed2bed2) {
  std::string table = little_endian(magic, 4) + little_endian(8, 4);
  table += little_endian(groups.size(), 4);
  const std::size_t body_begin = 12 + 80 * groups.size();
  std::string body;
  for (const GroupContent& group : groups) {
    const std::string content = group.tags + (group.end_mark ? std::string(2, '\0') : "");
    std::string name = group.name;
    name.resize(64, '\0');
    table += name + little_endian(body_begin + body.size(), 8) + little_endian(content.size(), 8);
    body += content;
  }
  return table + body;
}

// Tags of the memory group: (first PPN, image page, pages) of each region.
struct Region {
  std::uint64_t ppn;
  std::uint64_t image_page;
  std::uint64_t pages;
};

inline std::string region_tags(const std::vector<Region>& regions) {
  std::string tags = inline_tag("regionsCount", {}, regions.size());
  for (std::uint32_t i = 0; i < regions.size(); ++i) {
    tags += inline_tag("regionPageNum", {i}, regions[i].image_page) +
            inline_tag("regionPPN", {i}, regions[i].ppn) +
            inline_tag("regionSize", {i}, regions[i].pages);
  }
  return tags;
}

}  // namespace photon_dmesg::test
