#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "kernel/symbols/kallsyms_addresses.h"
#include "kernel/symbols/kallsyms_index.h"
#include "kernel/symbols/kallsyms_order.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// The symbols that a kernel carries for /proc/kallsyms, at their addresses where the table was
// found: those at run time in a guest's memory, those as linked in a file. A kernel has
// some hundred thousand, so they stay as they are in its image, and what is asked for is unpacked.
class KallsymsTable {
 public:
  struct Symbol {
    char type = '?';  // as nm(1) prints it; upper case: global
    GuestVirtual address;
    std::string name;
  };

  // A name's limit (KSYM_NAME_LEN since 6.1), of a token as of a name.
  static constexpr std::size_t longest_name = 512;

  // `names` are compressed, their types in front, one behind the other: a length (of two bytes if
  // it is above 127: 6.1 and later), then as many tokens; `begins` says where each one's length
  // stands. Of what may be their order, `orders`, the first sound one is used. All these and the
  // addresses, which are set afterwards, must outlive the table, or keep() copies them.
  KallsymsTable(KallsymsTokens tokens, std::span<const std::byte> names,
                std::vector<std::uint32_t> begins, std::span<const KallsymsOrder> orders);
  explicit KallsymsTable(const std::vector<Symbol>& symbols);
  KallsymsTable(const KallsymsTable&) = delete;
  KallsymsTable& operator=(const KallsymsTable&) = delete;
  KallsymsTable(KallsymsTable&&) = default;
  KallsymsTable& operator=(KallsymsTable&&) = default;
  ~KallsymsTable() = default;

  // One for each name.
  void set_addresses(KallsymsAddresses addresses) { addresses_ = addresses; }
  // From now on the table has what it needs for itself.
  void keep();

  [[nodiscard]] std::size_t size() const { return begins_.size(); }
  // A name that is longer than any counts as empty.
  [[nodiscard]] Symbol symbol(std::size_t index) const;
  // Calls `visit` with each symbol, in the table's order: those of symbol().
  void for_each(const KernelSymbols::SymbolVisit& visit) const;
  [[nodiscard]] GuestVirtual address(std::size_t index) const { return addresses_[index]; }

  // The address of `name`; nothing without one, or if several symbols of that name leave a doubt.
  [[nodiscard]] std::optional<GuestVirtual> find(std::string_view name) const;
  // The same for a function's static variable: see is_static_name().
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const;
  // The symbol that `address`, which must be one of the image, belongs to.
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const;

 private:
  [[nodiscard]] std::span<const std::byte> compressed(std::size_t index) const;
  // Its name with the type in front.
  [[nodiscard]] std::string expand(std::size_t index) const;
  // The same without.
  [[nodiscard]] std::string name(std::size_t index) const;
  // How the name of the symbol `index` stands to `name`, as by strcmp(3): below, at or above zero.
  [[nodiscard]] int compare(std::size_t index, std::string_view name) const;
  [[nodiscard]] bool is_sound(KallsymsOrder order) const;
  [[nodiscard]] KallsymsIndex make_index() const;
  // Calls visit(symbol) for each symbol of that name.
  template <typename Visit>
  void find_each(std::string_view name, Visit visit) const;

  KallsymsTokens tokens_;
  std::span<const std::byte> names_;
  std::vector<std::uint32_t> begins_;
  KallsymsAddresses addresses_;
  KallsymsOrder order_;                 // empty: there is none
  std::optional<KallsymsIndex> index_;  // only without an order
  std::vector<std::byte> kept_names_;
  std::vector<std::byte> kept_addresses_;
  std::vector<std::byte> kept_order_;
};

}  // namespace photon_dmesg
