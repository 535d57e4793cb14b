#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kernel/symbols/vmlinux/compile_unit.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// An ELF file in memory with .debug_info and `sections` of `image`, unpacked, if they are packed
// with zstd (ELFCOMPRESS_ZSTD, gABI of 2022), which libelf knows since elfutils 0.189 only.
// Nothing if they are not. Throws Error(UnusableInput) when one is damaged, or would unpack to more
// than any kernel's, however it is packed: libdw, which knows of no bounds, may be let at `image`
// behind this.
[[nodiscard]] std::optional<std::vector<std::byte>> unpack_debug_sections(
    const ElfImage& image, std::span<const std::string_view> sections = unit_sections);

// The section `name` of `image`, unpacked if it is packed; empty if there is none. Throws
// Error(UnusableInput) when it is damaged, or would unpack to more than any kernel's.
[[nodiscard]] std::vector<std::byte> read_debug_section(const ElfImage& image,
                                                        std::string_view name);

}  // namespace photon_dmesg
