#pragma once

#include <cstddef>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"

namespace photon_dmesg {

// Whether `source` begins as a boot image for x86 does: boot_flag, "HdrS" (Linux's
// Documentation/arch/x86/boot.rst).
[[nodiscard]] bool is_boot_image(const ByteSource& source);

// What a boot image unpacks when it starts: the kernel as an ELF file, and behind that what it
// needs to move it (vmlinux.relocs). Throws Error(UnusableInput) if `image` is damaged, cut short,
// packed in a way that can't be unpacked, or unpacks to more than any kernel has.
[[nodiscard]] std::vector<std::byte> unpack_boot_payload(const ByteSource& image,
                                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
