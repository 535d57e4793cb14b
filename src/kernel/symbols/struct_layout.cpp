#include "kernel/symbols/struct_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace photon_dmesg {

StructLayout::StructLayout(std::string name, std::uint64_t size, std::vector<MemberLayout> members)
    : name_(std::move(name)), size_(size), members_(std::move(members)) {
  // Larger than any, and still read into memory without a second thought.
  constexpr std::uint64_t largest = 1024 * 1024;
  if (size_ > largest) {
    throw unusable(
        fmt::format("struct {}: expected at most {} bytes, found {}", name_, largest, size_));
  }
  for (const MemberLayout& member : members_) {
    if (member.offset > size_ || member.size > size_ - member.offset) {
      throw unusable(fmt::format("struct {}: member {} at {}, {} bytes, leaves the {} bytes", name_,
                                 member.name, member.offset, member.size, size_));
    }
    const std::uint64_t bits = std::uint64_t{member.bit_shift} + member.bit_width;
    if (member.bit_width > 0 && bits > member.size * 8) {
      throw unusable(fmt::format("struct {}: member {}: {} bits from bit {} on leave its {} bytes",
                                 name_, member.name, member.bit_width, member.bit_shift,
                                 member.size));
    }
  }
}

const MemberLayout* StructLayout::find(std::string_view member) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(),
                   [&](const MemberLayout& layout) { return layout.name == member; });
  return found == members_.end() ? nullptr : &*found;
}

const MemberLayout& StructLayout::member(std::string_view member) const {
  const MemberLayout* layout = find(member);
  if (layout == nullptr) {
    throw unusable(fmt::format("struct {}: expected a member {}, found none", name_, member));
  }
  return *layout;
}

}  // namespace photon_dmesg
