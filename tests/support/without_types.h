#pragma once

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg::test {

// The symbols of another source without its types, banner and build-id, as a System.map has them.
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
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

 private:
  const KernelSymbols& symbols_;
};

}  // namespace photon_dmesg::test
