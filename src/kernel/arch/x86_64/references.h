#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/address.h"

// What code refers to: see the functions of the same names of Architecture.
namespace photon_dmesg::x86_64 {

[[nodiscard]] std::optional<GuestVirtual> returned_variable(std::span<const std::byte> code,
                                                            GuestVirtual begin);

void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                        const std::function<void(GuestVirtual)>& visit);

}  // namespace photon_dmesg::x86_64
