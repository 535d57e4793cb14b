#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// Finds those of very many entries that may have a name. The names stay where they are.
class NameIndex {
 public:
  NameIndex() = default;

  // Of the entries 0 to `count`, name_of(entry) being each one's name.
  template <typename NameOf>
  NameIndex(std::size_t count, NameOf name_of)
      : first_(std::bit_ceil(std::max<std::size_t>(count, 1))), next_(count) {
    for (std::size_t entry = count; entry-- > 0;) {
      std::uint32_t& first = first_[list_of(name_of(entry))];
      next_[entry] = first;
      first = static_cast<std::uint32_t>(entry + 1);
    }
  }

  // Calls visit(entry) for each entry of that name, in ascending order, and for a few others.
  template <typename Visit>
  void for_each(std::string_view name, Visit visit) const {
    if (first_.empty()) return;
    for (std::uint32_t at = first_[list_of(name)]; at != 0; at = next_[at - 1]) visit(at - 1);
  }

 private:
  [[nodiscard]] std::size_t list_of(std::string_view name) const {
    return std::hash<std::string_view>()(name) & (first_.size() - 1);
  }

  // Lists of entries by their names' hashes, each entry plus one; 0 ends a list.
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> next_;
};

}  // namespace photon_dmesg
