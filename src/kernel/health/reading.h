#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// A number in the kernel's memory, and where it stands: what whoever doubts a finding looks up.
struct Reading {
  std::string name;  // of the variable or member: "panic_cpu"
  GuestVirtual address;
  std::uint64_t value = 0;  // zero-extended
};

// What the variable `symbol` of `width` bytes holds; nothing if there is none or if it can't be
// read.
[[nodiscard]] std::optional<Reading> read_variable(const GuestKernel& kernel,
                                                   std::string_view symbol, std::size_t width);

}  // namespace photon_dmesg
