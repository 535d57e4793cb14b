#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"

// What arm64's code tells of the calls that lead to a place in it.
namespace photon_dmesg::aarch64 {

// `value` without the authentication code that the processor has put into the upper bits of a
// return address (PAC), of an address in the kernel. One of user mode is as it was.
[[nodiscard]] GuestVirtual strip_authentication(const KernelMemory& memory, std::uint64_t value);

// Whether a call (BL, BLR) ends at `return_address`. Nothing if the code can't be read, as that of
// functions which the kernel has freed after it had started.
[[nodiscard]] std::optional<bool> is_behind_call(const KernelMemory& memory,
                                                 GuestVirtual return_address);

// Whether the function at `begin`, which goes on at `ip`, has no frame record there that x29 leads
// to: it has not made it, or never does, or has left it and is about to return. Then its caller is
// in the link register. False where the code does not tell.
[[nodiscard]] bool is_without_frame(const KernelMemory& memory, GuestVirtual begin,
                                    GuestVirtual ip);

}  // namespace photon_dmesg::aarch64
