#pragma once

#include <cstddef>
#include <span>

namespace photon_dmesg {

// The kernel's own order of its symbols by name (kallsyms_seqs_of_names: 6.2, and stable versions
// of 6.1): which symbol is the first, the second and so on, in three bytes each, the highest first.
class KallsymsOrder {
 public:
  static constexpr std::size_t width = 3;  // bytes of an entry

  KallsymsOrder() = default;
  // `entries`, a whole number of them, must outlive this.
  explicit KallsymsOrder(std::span<const std::byte> entries) : entries_(entries) {}

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size() / width; }
  [[nodiscard]] std::span<const std::byte> entries() const { return entries_; }

  // Which symbol is at `place` by this order: any number, if it is damaged.
  [[nodiscard]] std::size_t operator[](std::size_t place) const {
    std::size_t symbol = 0;
    for (const std::byte byte : entries_.subspan(place * width, width)) {
      symbol = symbol << 8U | std::to_integer<std::size_t>(byte);
    }
    return symbol;
  }

 private:
  std::span<const std::byte> entries_;
};

}  // namespace photon_dmesg
