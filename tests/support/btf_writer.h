#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/bytes.h"

namespace photon_dmesg::test {

// Kinds of types: include/uapi/linux/btf.h.
enum class BtfKind : std::uint32_t {
  Int = 1,
  Pointer = 2,
  Array = 3,
  Struct = 4,
  Union = 5,
  Enum = 6,
  Forward = 7,
  Typedef = 8,
  Volatile = 9,
  Const = 10,
  FunctionProto = 13,
  Variable = 14,
  DataSection = 15,
  Float = 16,
  DeclarationTag = 17,
  TypeTag = 18,
  Enum64 = 19,
};

// Writes BTF as pahole does. Each method adds a type and returns its number; names are "" for
// none.
class BtfWriter {
 public:
  struct Member {
    std::string name;
    std::uint32_t type = 0;
    std::uint32_t bit_offset = 0;
    std::uint32_t bit_width = 0;  // of a bit field
  };

  BtfWriter() = default;
  // Of a module: its types follow `base`'s, which must be complete.
  explicit BtfWriter(const BtfWriter& base)
      : next_type_(base.next_type_),
        first_string_(base.first_string_ + static_cast<std::uint32_t>(base.strings_.size())) {}

  std::uint32_t add(BtfKind kind, const std::string& name, std::uint32_t size_or_type,
                    std::uint32_t entries = 0, const std::string& extra = {}, bool flag = false) {
    types_ += word(text(name)) +
              word(static_cast<std::uint32_t>(kind) << 24 | entries | (flag ? 1U << 31 : 0)) +
              word(size_or_type) + extra;
    return next_type_++;
  }

  std::uint32_t integer(const std::string& name, std::uint32_t size) {
    return add(BtfKind::Int, name, size, 0, word(size * 8));
  }
  // As before 5.0: an integer of so many bits, so many bits behind its member's place.
  std::uint32_t bits(std::uint32_t size, std::uint32_t width, std::uint32_t shift) {
    return add(BtfKind::Int, "unsigned int", size, 0, word(shift << 16 | width));
  }
  std::uint32_t pointer(std::uint32_t to) { return add(BtfKind::Pointer, "", to); }
  std::uint32_t array(std::uint32_t element, std::uint32_t count) {
    return add(BtfKind::Array, "", 0, 0, word(element) + word(element) + word(count));
  }
  std::uint32_t structure(const std::string& name, std::uint32_t size,
                          const std::vector<Member>& members, BtfKind kind = BtfKind::Struct) {
    bool has_bits = false;
    for (const Member& member : members) has_bits = has_bits || member.bit_width > 0;
    std::string entries;
    for (const Member& member : members) {
      entries += word(text(member.name)) + word(member.type) +
                 word(member.bit_offset | (has_bits ? member.bit_width << 24 : 0));
    }
    return add(kind, name, size, static_cast<std::uint32_t>(members.size()), entries, has_bits);
  }
  std::uint32_t enumeration(const std::string& name,
                            const std::vector<std::pair<std::string, std::int32_t>>& values,
                            bool is_signed = false) {
    std::string entries;
    for (const auto& [value_name, value] : values) {
      entries += word(text(value_name)) + word(static_cast<std::uint32_t>(value));
    }
    return add(BtfKind::Enum, name, 4, static_cast<std::uint32_t>(values.size()), entries,
               is_signed);
  }
  std::uint32_t enumeration64(const std::string& name,
                              const std::vector<std::pair<std::string, std::uint64_t>>& values) {
    std::string entries;
    for (const auto& [value_name, value] : values) {
      entries += word(text(value_name)) + little_endian(value, 8);
    }
    return add(BtfKind::Enum64, name, 8, static_cast<std::uint32_t>(values.size()), entries);
  }

  // The file, with a header of `header_bytes`.
  [[nodiscard]] std::string write(std::uint32_t header_bytes = 24) const {
    std::string header = little_endian(0xeb9f, 2) + little_endian(1, 1) + little_endian(0, 1) +
                         word(header_bytes) + word(0) + word(types_.size()) + word(types_.size()) +
                         word(strings_.size());
    header.resize(header_bytes);
    return header + types_ + strings_;
  }

  static std::string word(std::uint64_t value) { return little_endian(value, 4); }

 private:
  std::uint32_t text(const std::string& name) {
    if (name.empty()) return 0;
    const auto at = static_cast<std::uint32_t>(strings_.size());
    strings_ += name + '\0';
    return first_string_ + at;
  }

  std::uint32_t next_type_ = 1;
  std::uint32_t first_string_ = 0;
  std::string types_;
  std::string strings_ = std::string(1, '\0');
};

}  // namespace photon_dmesg::test
