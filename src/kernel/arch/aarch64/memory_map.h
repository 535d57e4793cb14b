#pragma once

#include <cstdint>

#include "base/address.h"

// Where Linux lies on arm64 (Documentation/arch/arm64/memory.rst, arch/arm64/include/asm/memory.h).
namespace photon_dmesg::aarch64 {

// Kernel addresses have their upper 12 bits set, or more of them with smaller address spaces.
inline constexpr GuestVirtual kernel_half{0xfff0000000000000};

// The image's half: it has been the upper one of the kernel's addresses since 5.4, with RAM in the
// lower one, and it was the lower one before. With 48 bits that is anything from here on.
inline constexpr GuestVirtual lowest_image{0xffff000000000000};

// Under KASLR it is moved by multiples of this in both address spaces (virtually since 4.6; by the
// EFI stub, which is where the physical place comes from, EFI_KIMG_ALIGN).
inline constexpr std::uint64_t image_alignment = 0x10000;

// An image ends within this distance of any part of it.
inline constexpr std::uint64_t image_reach = std::uint64_t{256} << 20;

}  // namespace photon_dmesg::aarch64
