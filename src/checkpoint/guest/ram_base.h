#pragma once

#include <cstdint>

#include "base/byte_source.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// Adds to state.other_bases the ways to read a machine's RAM, `size` bytes of `file` from `offset`
// on, that begins where the RAM of some kind of machine does, but for that of state.memory.
void add_other_bases(GuestState& state, const ByteSource& file, std::uint64_t offset,
                     std::uint64_t size);

}  // namespace photon_dmesg
