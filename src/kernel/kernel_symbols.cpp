#include "kernel/kernel_symbols.h"

#include <fmt/format.h>

#include "base/error.h"

namespace photon_dmesg {

GuestVirtual KernelSymbols::symbol(std::string_view name) const {
  const std::optional<GuestVirtual> address = find_symbol(name);
  if (!address) {
    throw unusable(
        fmt::format("{}: expected the kernel symbol \"{}\", found none", this->name(), name));
  }
  return *address;
}

const StructLayout& KernelSymbols::structure(std::string_view name) const {
  const StructLayout* layout = find_struct(name);
  if (layout == nullptr) {
    throw unusable(fmt::format("{}: expected struct {} in its DWARF debug information, found none",
                               this->name(), name));
  }
  return *layout;
}

}  // namespace photon_dmesg
