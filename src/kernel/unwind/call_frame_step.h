#pragma once

#include <cstdint>

#include "kernel/code/code_map.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/call_frames.h"
#include "kernel/unwind/cursor.h"

namespace photon_dmesg {

// Goes from the function at `cursor` to its caller by what debug information tells of the place,
// which is exact at every instruction of a function: in front of its frame pointer, behind it, and
// where it has none. `kaslr_offset` leads from the addresses that it tells of to those at run time.
//
// False, and the cursor is as it was, where it tells nothing, as in assembly and in modules, or
// where what it tells leads to no code: then frame pointers may.
[[nodiscard]] bool step_by_call_frame(const KernelMemory& memory, const CodeMap& code,
                                      const CallFrames& frames, std::uint64_t kaslr_offset,
                                      Cursor& cursor);

}  // namespace photon_dmesg
