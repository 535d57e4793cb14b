#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// An ELF file in memory with the debug sections of `image` that types are in, unpacked, if they are
// packed with zstd (ELFCOMPRESS_ZSTD, gABI of 2022), which libelf knows since elfutils 0.189 only.
// Nothing if they are not. Throws Error(UnusableInput) when one is damaged.
[[nodiscard]] std::optional<std::vector<std::byte>> unpack_debug_sections(const ElfImage& image);

}  // namespace photon_dmesg
