#pragma once

#include <cstdint>

#include "kernel/arch/architecture.h"

namespace photon_dmesg {

// Whether a kernel may run `offset` bytes, modulo 2^64, above where it is linked: KASLR moves it
// upwards, by multiples of its alignment, and it stays where images may lie.
[[nodiscard]] bool is_possible_kaslr_offset(std::uint64_t offset,
                                            const Architecture::MemoryMap& map);

// By how much a kernel runs above where it is linked, if that is `distance` bytes, modulo 2^64,
// above where kernels of its release usually are. 0 if KASLR moves none so: then this one is linked
// where it runs, such as one with a CONFIG_PHYSICAL_START below 16 MiB.
[[nodiscard]] std::uint64_t kaslr_offset_of(std::uint64_t distance,
                                            const Architecture::MemoryMap& map);

}  // namespace photon_dmesg
