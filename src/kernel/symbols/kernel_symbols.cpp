#include "kernel/symbols/kernel_symbols.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace photon_dmesg {

void SymbolChoice::offer(GuestVirtual address, SymbolBinding binding) {
  if (!address_ || (binding == SymbolBinding::Global && binding_ == SymbolBinding::Local)) {
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

void NearestSymbol::offer(GuestVirtual symbol, std::string_view name) {
  // arm64's mapping symbols ("$x", "$d") tell code from data.
  if (symbol > address_ || name.empty() || name.starts_with('$')) return;
  // Of several at one address the first counts; those with a dot are the compiler's or assembler's.
  const bool better = name_.empty() || symbol > nearest_ ||
                      (symbol == nearest_ && name_.find('.') != std::string::npos);
  if (!better) return;
  nearest_ = symbol;
  name_ = name;
}

std::optional<SymbolPlace> NearestSymbol::place() const {
  // Longer than any function; what lies behind the last symbol is in none.
  constexpr std::uint64_t longest = 1024 * 1024;
  if (name_.empty() || address_ - nearest_ > longest) return std::nullopt;
  return SymbolPlace{name_, address_ - nearest_};
}

bool is_static_name(std::string_view symbol, std::string_view name) {
  if (!symbol.starts_with(name)) return false;
  symbol.remove_prefix(name.size());
  return symbol.empty() || (symbol.size() > 1 && symbol[0] == '.' &&
                            symbol.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

std::optional<GuestVirtual> KernelSymbols::find_beside(std::string_view name,
                                                       std::string_view sibling) const {
  const std::optional<GuestVirtual> beside = find_symbol(sibling);
  if (!beside) return std::nullopt;
  const auto distance = [&](GuestVirtual address) {
    return std::max(address, *beside) - std::min(address, *beside);
  };
  std::optional<GuestVirtual> nearest;
  for_each_symbol([&](std::string_view symbol, GuestVirtual address, SymbolBinding) {
    if (symbol != name) return;
    if (!nearest || distance(address) < distance(*nearest)) nearest = address;
  });
  return nearest;
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
