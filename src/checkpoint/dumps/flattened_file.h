#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"

namespace photon_dmesg {

// The dump that `source`, as makedumpfile -F writes it into a pipe, is to be put together to: a
// kdump file, or with -E an ELF core. It is a file in memory. Throws Error(UnusableInput) when
// `source` is damaged or cut short; of one that claims to take more memory than twice its size,
// the rest is left out with a warning.
[[nodiscard]] std::shared_ptr<const ByteSource> put_in_order(const ByteSource& source,
                                                             Diagnostics& diagnostics);

}  // namespace photon_dmesg
