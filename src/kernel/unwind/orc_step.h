#pragma once

#include "kernel/code/code_map.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/unwind/cursor.h"
#include "kernel/unwind/orc.h"

namespace photon_dmesg {

// Goes from the function at `cursor` to its caller, by what ORC says of the place: as the kernel
// does itself (unwind_next_frame in arch/x86/kernel/unwind_orc.c). A place without an entry, such
// as generated code, is taken to keep a frame pointer, and what comes behind is unsure.
//
// Where ORC tells nothing of the very first place, as of the address that a crashing kernel notes
// of itself, the call of the function proves its caller.
[[nodiscard]] Step step_by_orc(const KernelMemory& memory, const CodeMap& code,
                               const OrcTables& tables, Cursor& cursor);

}  // namespace photon_dmesg
