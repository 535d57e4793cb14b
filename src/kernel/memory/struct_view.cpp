#include "kernel/memory/struct_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/little_endian.h"

namespace photon_dmesg {

std::uint64_t StructView::number(const MemberLayout& member) const {
  if (member.size > sizeof(std::uint64_t)) {
    throw unusable(fmt::format("struct {}: expected a number in {}, found {} bytes", layout_.name(),
                               member.name, member.size));
  }
  const std::uint64_t value = load_unsigned(bytes_.subspan(member.offset, member.size));
  if (member.bit_width == 0) {
    return value;
  }
  return value >> member.bit_shift & ((std::uint64_t{1} << member.bit_width) - 1);
}

std::uint64_t StructView::number(std::string_view member) const {
  return number(layout_.member(member));
}

std::string StructView::text(std::string_view member) const {
  const MemberLayout& layout = layout_.member(member);
  std::string text;
  for (const std::byte byte : bytes_.subspan(layout.offset, layout.size)) {
    if (byte == std::byte{0}) break;
    text.push_back(std::to_integer<char>(byte));
  }
  return text;
}

StructView StructView::nested(std::string_view member, const StructLayout& inner) const {
  const MemberLayout& layout = layout_.member(member);
  if (inner.size() > layout.size) {
    throw unusable(fmt::format("struct {}: expected a struct {} of {} bytes in {}, found {} bytes",
                               layout_.name(), inner.name(), inner.size(), layout.name,
                               layout.size));
  }
  return {inner, bytes_.subspan(layout.offset, inner.size())};
}

}  // namespace photon_dmesg
