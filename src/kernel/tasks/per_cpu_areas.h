#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/memory/kernel_image.h"

// The areas in which each CPU has its own copy of the kernel's per-CPU variables, where no symbol
// tells: as in kernels without KALLSYMS_ALL.
namespace photon_dmesg {

// What of an area is looked at: those of distributions' kernels have 130 to 250 KB of the kernel's
// own variables, which are at its beginning.
inline constexpr std::uint64_t per_cpu_reach = std::uint64_t{512} * 1024;

// __per_cpu_offset of each of the `vcpus`.size() CPUs, found by its form: an array in the image
// that has the areas of the vCPUs that are in the kernel, each of which has its own address at the
// same place (this_cpu_off). Empty if there is none, if more than one fits, or if no vCPU is in the
// kernel.
[[nodiscard]] std::vector<std::uint64_t> find_per_cpu_offsets(const KernelImage& image,
                                                              std::span<const Vcpu> vcpus);

// The beginning of an area, `per_cpu_reach` bytes; what can't be read is zeros.
[[nodiscard]] std::vector<std::byte> read_per_cpu_area(const KernelMemory& memory,
                                                       GuestVirtual begin);

}  // namespace photon_dmesg
