#pragma once

#include "base/byte_source.h"

namespace photon_dmesg {

// Whether `source` begins as makedumpfile's compressed format does (or diskdump's), flattened or
// not.
[[nodiscard]] bool is_kdump_file(const ByteSource& source);

// Whether it is a flattened one, as makedumpfile -F writes it into a pipe: what it holds may be an
// ELF core as well.
[[nodiscard]] bool is_flattened_kdump_file(const ByteSource& source);

}  // namespace photon_dmesg
