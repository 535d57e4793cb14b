#pragma once

#include <utility>

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg::test {

// The symbols of another source that lays one structure out in its own way.
class WithStruct final : public KernelSymbols {
 public:
  WithStruct(const KernelSymbols& symbols, StructLayout layout)
      : symbols_(symbols), layout_(std::move(layout)) {}

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return symbols_.find_symbol(name);
  }
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override {
    return symbols_.find_static(name);
  }
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override {
    return name == layout_.name() ? &layout_ : symbols_.find_struct(name);
  }
  void for_each_symbol(const SymbolVisit& visit) const override { symbols_.for_each_symbol(visit); }
  [[nodiscard]] std::optional<std::string> banner_bytes() const override {
    return symbols_.banner_bytes();
  }
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

 private:
  const KernelSymbols& symbols_;
  StructLayout layout_;
};

// `layout` without the member `name`.
inline StructLayout without_member(const StructLayout& layout, std::string_view name) {
  std::vector<MemberLayout> members = layout.members();
  std::erase_if(members, [&](const MemberLayout& member) { return member.name == name; });
  return {layout.name(), layout.size(), std::move(members)};
}

}  // namespace photon_dmesg::test
