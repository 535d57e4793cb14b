#pragma once

#include <cstdint>
#include <string>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"
#include "checkpoint/guest/memory_layout.h"

namespace photon_dmesg {

// Leaves out of `layout`, which is what the guest had, all that lies beyond the first `there` bytes
// of the image: to be called before memory is read by it. What is left out is `state`.missing, and
// a warning that begins with `what`, such as "FILE: incomplete: expected so much, found less".
void cut_to(std::uint64_t there, const std::string& what, GuestState& state, MemoryLayout& layout,
            Diagnostics& diagnostics);

// The same where the image is all of `file`. Throws Error(UnusableInput) instead if all of it is
// required.
void cut_to_file(GuestState& state, MemoryLayout& layout, const ByteSource& file,
                 Completeness completeness, Diagnostics& diagnostics);

}  // namespace photon_dmesg
