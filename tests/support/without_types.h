#pragma once

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg::test {

// The symbols of another source without its types and build-id.
class WithoutTypes : public KernelSymbols {
 public:
  explicit WithoutTypes(const KernelSymbols& symbols) : symbols_(symbols) {}

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return symbols_.find_symbol(name);
  }
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override {
    return symbols_.find_static(name);
  }
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override {
    return symbols_.find_place(address);
  }
  void for_each_symbol(const SymbolVisit& visit) const override { symbols_.for_each_symbol(visit); }
  [[nodiscard]] std::optional<std::string> banner_bytes() const override {
    return symbols_.banner_bytes();
  }
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

 private:
  const KernelSymbols& symbols_;
};

// The same without its banner too, as a System.map has them: they don't say which build they are
// of.
class LikeSystemMap final : public WithoutTypes {
 public:
  using WithoutTypes::WithoutTypes;
  [[nodiscard]] std::optional<std::string> banner_bytes() const override { return std::nullopt; }
};

}  // namespace photon_dmesg::test
