#pragma once

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"
#include "checkpoint/guest/memory_layout.h"

namespace photon_dmesg {

// Leaves out of `layout` what lies beyond the end of `file`, which holds the memory: to be called
// before memory is read by it. What is left out is `state`.missing, and a warning. Throws
// Error(UnusableInput) instead if all of it is required.
void cut_to_file(GuestState& state, MemoryLayout& layout, const ByteSource& file,
                 Completeness completeness, Diagnostics& diagnostics);

}  // namespace photon_dmesg
