#include "kernel/kernel_symbols.h"

#include <fmt/format.h>

#include "base/error.h"

namespace photon_dmesg {

void SymbolChoice::offer(GuestVirtual address, Binding binding) {
  if (!address_ || (binding == Binding::Global && binding_ == Binding::Local)) {
    address_ = address;
    binding_ = binding;
    ambiguous_ = false;
  } else if (address != *address_ && binding == binding_) {
    ambiguous_ = true;
  }
}

std::optional<GuestVirtual> SymbolChoice::address() const {
  return ambiguous_ ? std::nullopt : address_;
}

bool is_static_name(std::string_view symbol, std::string_view name) {
  if (!symbol.starts_with(name)) return false;
  symbol.remove_prefix(name.size());
  return symbol.empty() || (symbol.size() > 1 && symbol[0] == '.' &&
                            symbol.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

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
