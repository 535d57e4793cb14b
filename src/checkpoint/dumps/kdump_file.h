#pragma once

#include <memory>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// A machine's memory from a dump that makedumpfile compressed, read through libkdumpfile: pages
// that the dump leaves out (-d) are not RAM. Several files are the parts of one dump (--split);
// none is flattened. Throws Error(UnusableInput) when libkdumpfile can't make sense of it; a build
// without libkdumpfile has no other answer.
[[nodiscard]] GuestState open_kdump_files(std::vector<std::shared_ptr<const ByteSource>> files,
                                          Diagnostics& diagnostics);

}  // namespace photon_dmesg
