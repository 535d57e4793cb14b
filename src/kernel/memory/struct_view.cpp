#include "kernel/memory/struct_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/little_endian.h"
#include "kernel/memory/bit_field.h"

namespace photon_dmesg {

std::uint64_t StructView::number(const MemberLayout& member) const {
  if (member.size > sizeof(std::uint64_t)) {
    throw unusable(fmt::format("struct {}: expected a number in {}, found {} bytes", layout_.name(),
                               member.name, member.size));
  }
  const std::uint64_t value = load_unsigned(bytes_.subspan(member.offset, member.size));
  return take_bits(value, member.bit_shift, member.bit_width);
}

std::uint64_t StructView::number(std::string_view member) const {
  return number(layout_.member(member));
}

std::string StructView::text(std::string_view member) const {
  return text(layout_.member(member));
}

std::string StructView::text(const MemberLayout& member) const {
  const std::span<const std::byte> bytes = bytes_.subspan(member.offset, member.size);
  const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
  return {reinterpret_cast<const char*>(bytes.data()),
          static_cast<std::size_t>(end - bytes.begin())};
}

StructView StructView::nested(std::string_view member, const StructLayout& inner) const {
  return nested(layout_.member(member), inner);
}

StructView StructView::nested(const MemberLayout& member, const StructLayout& inner) const {
  if (inner.size() > member.size) {
    throw unusable(fmt::format("struct {}: expected a struct {} of {} bytes in {}, found {} bytes",
                               layout_.name(), inner.name(), inner.size(), member.name,
                               member.size));
  }
  return {inner, bytes_.subspan(member.offset, inner.size())};
}

}  // namespace photon_dmesg
