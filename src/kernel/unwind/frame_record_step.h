#pragma once

#include "kernel/arch/release_number.h"
#include "kernel/code/code_map.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/unwind/cursor.h"

namespace photon_dmesg {

// Goes from the function at `cursor` to its caller by arm64's chain of frame records, which its
// kernels always keep: x29 leads to the caller's x29 and the return address. An exception leaves
// the registers of what it came into (struct pt_regs) with such a record in them, so that the chain
// goes through; those of user mode end it, and the record of a kernel thread's first function.
// `release`: since 6.13 that record says of what kind it is, and where it was interrupted is in the
// registers alone.
//
// A function that was interrupted before it had made its record, or never does, is told by its
// code, and its caller by the link register: else its caller would be missing.
[[nodiscard]] Step step_by_frame_record(const KernelMemory& memory, const CodeMap& code,
                                        ReleaseNumber release, Cursor& cursor);

}  // namespace photon_dmesg
