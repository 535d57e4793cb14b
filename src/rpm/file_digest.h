#pragma once

#include <string>

#include "base/byte_source.h"
#include "base/diagnostics.h"

namespace photon_dmesg {

// The SHA-256 of all of `file`, lower-case hexadecimal, with progress. Throws Error(UnusableInput)
// if it can't be read.
[[nodiscard]] std::string sha256_of(const ByteSource& file, Diagnostics& diagnostics);

}  // namespace photon_dmesg
