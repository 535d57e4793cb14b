#pragma once

#include <optional>
#include <string>

#include "base/byte_source.h"

namespace photon_dmesg {

// The GNU build-id in a run of ELF notes (elf(5): u32 name size, u32 descriptor size, u32 type;
// each part padded to 4 bytes), in lower-case hexadecimal. Nothing if there is none or the notes
// are damaged.
[[nodiscard]] std::optional<std::string> find_build_id(const ByteSource& notes);

}  // namespace photon_dmesg
