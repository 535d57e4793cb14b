#pragma once

#include "kernel/code/code_map.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/unwind/cursor.h"

namespace photon_dmesg {

// Goes from the function at `cursor` to its caller by the chain of frame pointers, which kernels
// with CONFIG_FRAME_POINTER keep, as Photon's are. Since 4.10 a frame pointer with its lowest bit
// set leads to the registers that an interrupt or exception has left (ENCODE_FRAME_POINTER);
// before, they stand behind the return address into the entry code. A function that had not made
// its frame, or never does, is told by the call that leads to it: else its caller would be missing.
[[nodiscard]] Step step_by_frame_pointer(const KernelMemory& memory, const CodeMap& code,
                                         Cursor& cursor);

}  // namespace photon_dmesg
