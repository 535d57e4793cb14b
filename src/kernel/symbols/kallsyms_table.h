#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// The symbols that a kernel carries for /proc/kallsyms, at their addresses where the table was
// found: those at run time in a guest's memory, those as linked in a file. A kernel has
// some hundred thousand, so names stay compressed, and each has a short key that most lookups get
// by on.
class KallsymsTable {
 public:
  struct Symbol {
    char type = '?';  // as nm(1) prints it; upper case: global
    GuestVirtual address;
    std::string name;
  };

  // Whether it is global.
  [[nodiscard]] static SymbolBinding binding_of(const Symbol& symbol);

  // What the bytes of a compressed name stand for.
  using Tokens = std::array<std::string, 256>;

  // `names` are compressed, their types in front, one behind the other; `ends` says where each one
  // ends. Addresses are set afterwards.
  KallsymsTable(Tokens tokens, std::vector<std::uint8_t> names, std::vector<std::uint32_t> ends);
  explicit KallsymsTable(const std::vector<Symbol>& symbols);

  [[nodiscard]] std::size_t size() const { return addresses_.size(); }
  [[nodiscard]] Symbol symbol(std::size_t index) const;
  [[nodiscard]] const std::vector<GuestVirtual>& addresses() const { return addresses_; }
  void set_address(std::size_t index, GuestVirtual address) { addresses_[index] = address; }

  // The address of `name`; nothing without one, or if several symbols of that name leave a doubt.
  [[nodiscard]] std::optional<GuestVirtual> find(std::string_view name) const;
  // The same for a function's static variable: see is_static_name().
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const;
  // The symbol that `address`, which must be one of the image, belongs to.
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const;

 private:
  [[nodiscard]] std::span<const std::uint8_t> compressed(std::size_t index) const;
  [[nodiscard]] std::uint32_t compute_key(std::size_t index) const;

  Tokens tokens_;
  std::vector<std::uint8_t> names_;
  std::vector<std::uint32_t> ends_;
  std::vector<GuestVirtual> addresses_;
  std::vector<std::uint32_t> keys_;
};

}  // namespace photon_dmesg
