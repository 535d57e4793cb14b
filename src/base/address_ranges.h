#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"

namespace photon_dmesg {

struct AddressRange {
  GuestVirtual begin;
  std::uint64_t size = 0;  // bytes; what leaves the address space is cut off
};

// Finds which of many ranges has an address. They may lie over each other, as a damaged guest's do:
// then the first in their order has it.
class AddressRanges {
 public:
  AddressRanges() = default;
  explicit AddressRanges(const std::vector<AddressRange>& ranges);

  // Its place among them; nothing if none has `address`.
  [[nodiscard]] std::optional<std::size_t> find(GuestVirtual address) const;

 private:
  // Up to where the next one begins.
  struct Piece {
    GuestVirtual begin;
    std::optional<std::size_t> range;
  };
  std::vector<Piece> pieces_;  // by address
};

}  // namespace photon_dmesg
