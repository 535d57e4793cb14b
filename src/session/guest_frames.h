#pragma once

#include <memory>

#include "base/diagnostics.h"
#include "kernel/symbols/call_frames.h"
#include "session/guest.h"

namespace photon_dmesg {

// What the debug information of the kernel's functions tells of their frames, by the vmlinux that
// `guest` was opened with; null if that is not a file of its own, or has none.
[[nodiscard]] std::unique_ptr<CallFrames> open_call_frames(const Guest& guest,
                                                           Diagnostics& diagnostics);

}  // namespace photon_dmesg
