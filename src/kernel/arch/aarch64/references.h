#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "base/address.h"

// See the functions of the same names of Architecture. An address in the image is made of two
// instructions: ADRP puts that of a page of 4 KiB into a register, what follows adds an offset.
namespace photon_dmesg::aarch64 {

[[nodiscard]] std::optional<GuestVirtual> returned_variable(std::span<const std::byte> code,
                                                            GuestVirtual begin);

void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                        const std::function<void(GuestVirtual)>& visit);

}  // namespace photon_dmesg::aarch64
