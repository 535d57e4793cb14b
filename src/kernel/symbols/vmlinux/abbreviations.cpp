#include "kernel/symbols/vmlinux/abbreviations.h"

#include <dwarf.h>

#include <algorithm>
#include <cstdint>

namespace photon_dmesg {
namespace {

// A cursor that stays at the end once it has come there.
class Numbers {
 public:
  explicit Numbers(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // The next number, in 7 bits a byte; those that are out of 64 are lost.
  std::uint64_t take() {
    constexpr unsigned bits = 7;
    constexpr std::uint64_t more = std::uint64_t{1} << bits;
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift = std::min(shift + bits, 63U)) {
      const std::uint64_t byte = take_byte();
      value |= (byte & (more - 1)) << shift;
      if ((byte & more) == 0) return value;
    }
  }

  std::uint64_t take_byte() {
    is_past_end_ = is_past_end_ || at_ == bytes_.size();
    return is_past_end_ ? 0 : std::to_integer<std::uint64_t>(bytes_[at_++]);
  }

  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] bool is_past_end() const { return is_past_end_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool is_past_end_ = false;
};

void skip_attributes(Numbers& numbers) {
  while (!numbers.is_past_end()) {
    const std::uint64_t name = numbers.take();
    const std::uint64_t form = numbers.take();
    if (name == 0 && form == 0) return;
    if (form == DW_FORM_implicit_const) (void)numbers.take();
  }
}

}  // namespace

std::optional<Abbreviations> parse_abbreviations(std::span<const std::byte> bytes) {
  Numbers numbers(bytes);
  Abbreviations table;
  while (numbers.take() != 0) {
    table.imports = numbers.take() == DW_TAG_imported_unit || table.imports;
    (void)numbers.take_byte();  // whether it has children
    skip_attributes(numbers);
  }
  if (numbers.is_past_end()) return std::nullopt;
  table.size = numbers.position();
  return table;
}

}  // namespace photon_dmesg
