#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "kernel/code/code_place.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// The functions of the kernel's image by address, as linked: read from its symbols once, since
// stacks ask for many.
class ImageCode {
 public:
  explicit ImageCode(const KernelSymbols& symbols);

  // Whether `address` is code: in _stext to _etext, or in _sinittext to _einittext, which the
  // letters of kallsyms don't tell (7.x has data with those of code). Without these symbols all of
  // the image is.
  [[nodiscard]] bool is_text(GuestVirtual address) const;

  // The function that `address` is in, named as the kernel names it: of several that begin at one
  // place, the one that its own table has first.
  [[nodiscard]] std::optional<CodePlace> place(GuestVirtual address) const;

 private:
  struct Symbol {
    GuestVirtual address;
    std::uint32_t name_begin = 0;
    std::uint32_t name_size = 0;
  };

  [[nodiscard]] std::string_view name_of(const Symbol& symbol) const {
    return std::string_view(names_).substr(symbol.name_begin, symbol.name_size);
  }
  void sort();

  std::vector<CodeRange> text_;
  std::vector<Symbol> symbols_;  // by address; of those at one address the first counts
  std::string names_;
};

}  // namespace photon_dmesg
