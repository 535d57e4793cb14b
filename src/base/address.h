#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>

namespace photon_dmesg {

// An address in one of the guest's address spaces. Addresses of different spaces are different
// types, so that a physical address can't be read through page tables by mistake.
template <typename Space>
struct Address {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(const Address&, const Address&) = default;
  // Wraps modulo 2^64 as the processor does: a sum that leaves RAM or canonical space is refused
  // where it is read.
  friend constexpr Address operator+(Address address, std::uint64_t offset) {
    return {address.value + offset};
  }
  // Distance in bytes, modulo 2^64.
  friend constexpr std::uint64_t operator-(Address left, Address right) {
    return left.value - right.value;
  }
};

struct PhysicalSpace;
struct VirtualSpace;

using GuestPhysical = Address<PhysicalSpace>;
using GuestVirtual = Address<VirtualSpace>;

}  // namespace photon_dmesg

template <typename Space>
struct fmt::formatter<photon_dmesg::Address<Space>> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  auto format(photon_dmesg::Address<Space> address, format_context& context) const {
    return fmt::format_to(context.out(), "{:#x}", address.value);
  }
};
