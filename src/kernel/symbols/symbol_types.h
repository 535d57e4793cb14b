#pragma once

#include <string>
#include <string_view>

#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// The structures that symbols come with: the DWARF of a vmlinux, or a store that was made of it.
class SymbolTypes final : public TypeSource {
 public:
  // `symbols` must outlive this object.
  explicit SymbolTypes(const KernelSymbols& symbols) : symbols_(symbols) {}

  // One that is there and can't be read is one that is not known.
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

 private:
  const KernelSymbols& symbols_;
};

}  // namespace photon_dmesg
