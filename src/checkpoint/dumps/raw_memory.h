#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// A guest from its memory alone: a .vmem whose checkpoint is lost, or an image that another tool
// copied. Where it lies in the guest follows from its size: 1:1 up to 3 GiB; beyond that as VMware
// puts it, with the PCI hole from 3 to 4 GiB left out of the file, or else 1:1 with the hole in it
// (GuestState::other_readings).
[[nodiscard]] GuestState open_raw_memory(std::shared_ptr<const ByteSource> file,
                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
