#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"

namespace photon_dmesg {

// A run of bytes that are code.
struct CodeRange {
  GuestVirtual begin;
  std::uint64_t size = 0;  // bytes

  [[nodiscard]] bool contains(GuestVirtual address) const { return address - begin < size; }
};

// A place in the kernel's code, as the kernel's own traces have it.
struct CodePlace {
  std::string symbol;
  std::uint64_t offset = 0;  // bytes behind the symbol
  std::uint64_t size = 0;    // bytes from the symbol to the next one
  std::string module;        // empty: the kernel's image
};

// "schedule+0x5e/0xd0", "lab_read+0x1c/0x40 [lab]".
[[nodiscard]] std::string describe(const CodePlace& place);

}  // namespace photon_dmesg
