#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/struct_layout.h"

namespace photon_dmesg {

// The bytes of one structure, read by member name. The layout has checked that every member lies
// inside them.
class StructView {
 public:
  // `bytes` are as long as `layout` says; both must outlive the view.
  StructView(const StructLayout& layout, std::span<const std::byte> bytes)
      : layout_(layout), bytes_(bytes) {}

  // A member's value, zero-extended; bit fields are taken out. Throws Error(UnusableInput) if there
  // is no such member or it is longer than 8 bytes.
  [[nodiscard]] std::uint64_t number(std::string_view member) const;
  [[nodiscard]] std::uint64_t number(const MemberLayout& member) const;

  // A char array up to its first NUL.
  [[nodiscard]] std::string text(std::string_view member) const;
  [[nodiscard]] std::string text(const MemberLayout& member) const;

  // A structure inside this one; `inner` must fit into the member.
  [[nodiscard]] StructView nested(std::string_view member, const StructLayout& inner) const;
  [[nodiscard]] StructView nested(const MemberLayout& member, const StructLayout& inner) const;

 private:
  const StructLayout& layout_;
  std::span<const std::byte> bytes_;
};

}  // namespace photon_dmesg
