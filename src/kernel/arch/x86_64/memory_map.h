#pragma once

#include <array>
#include <cstdint>

#include "base/address.h"

// The parts of Linux's x86-64 memory map that the kernel image's place follows from
// (Documentation/arch/x86/x86_64/mm.rst).
namespace photon_dmesg::x86_64 {

// __START_KERNEL_map: an image address va lies at physical va - start_kernel_map + phys_base.
inline constexpr GuestVirtual start_kernel_map{0xffffffff80000000};

// The image never ends later: 1 GiB with KASLR, 512 MiB without, modules behind it.
inline constexpr GuestVirtual kernel_image_end{0xffffffffc0000000};

// Where _text is linked: CONFIG_PHYSICAL_START is 16 MiB in Photon's kernels, as by default.
inline constexpr GuestVirtual linked_text{0xffffffff81000000};

// The smallest CONFIG_PHYSICAL_ALIGN (arch/x86/Kconfig, x86-64): the kernel is loaded, and KASLR
// moves it, by multiples of it.
inline constexpr std::uint64_t kernel_alignment = 0x200000;

// Image addresses lie at or above the first and below the second.
constexpr bool is_image_address(GuestVirtual address) {
  return address >= start_kernel_map && address < kernel_image_end;
}

// Kernel addresses have their upper bits set, with 4 or 5 levels of page tables.
inline constexpr GuestVirtual kernel_half{0xff00000000000000};
constexpr bool is_kernel_pointer(std::uint64_t value) {
  return value >= kernel_half.value;
}

// Where each CPU has its tables and its stacks for exceptions, since 4.15: 512 GiB.
constexpr bool is_in_cpu_entry_area(GuestVirtual address) {
  return address.value >> 39U == 0xfffffe0000000000 >> 39U;
}

// The stacks for returning to 16-bit code (espfix), one page mapped over and over.
inline constexpr GuestVirtual espfix_stacks{0xffffff0000000000};
inline constexpr GuestVirtual past_espfix_stacks{0xffffff8000000000};

// CR0.PG: the processor uses page tables.
inline constexpr std::uint64_t cr0_paging = std::uint64_t{1} << 31;

// Where processors keep the bit for encrypted memory (SME) in CR3 and in page-table entries.
inline constexpr std::array<std::uint64_t, 2> memory_encryption_bits = {std::uint64_t{1} << 47,
                                                                        std::uint64_t{1} << 51};

// With page-table isolation the user's root table is the page behind the kernel's (CR3 bit 12).
inline constexpr std::uint64_t pti_user_root = std::uint64_t{1} << 12;

}  // namespace photon_dmesg::x86_64
