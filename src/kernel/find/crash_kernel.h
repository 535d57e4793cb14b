#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/arch/architecture.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/find/running_kernel.h"

namespace photon_dmesg {

// A kernel with kdump, when it crashes, starts another one (the crash-dump kernel) in memory set
// aside, which saves the memory of the first. A guest suspended then runs the second; the log that
// matters is the first one's, and all of it is still there.

// Where the running kernel has the ELF header which describes the memory of the kernel that
// crashed: by its variable elfcorehdr_addr, until it has read the header itself, else by its
// command line (elfcorehdr=). Nothing if this is no crash-dump kernel; nothing, with a warning, if
// it is one and neither tells, as where a device tree does (arm64).
[[nodiscard]] std::optional<GuestPhysical> find_elf_core_header(const GuestKernel& kernel,
                                                                Diagnostics& diagnostics);

// The kernel that crashed, of the same `architecture`, by the VMCOREINFO in a note of that header.
// Nothing, with the reason noted, if header, VMCOREINFO or page tables don't lead to a kernel.
[[nodiscard]] std::optional<RunningKernel> find_crashed_kernel(const GuestMemory& memory,
                                                               const Architecture& architecture,
                                                               GuestPhysical elf_core_header,
                                                               Diagnostics& diagnostics);

// The kernel that a dump's VMCOREINFO tells of, which the dump carries beside the memory. Nothing,
// with the reason noted, if it leads to none.
[[nodiscard]] std::optional<RunningKernel> find_dumped_kernel(const GuestMemory& memory,
                                                              const std::string& vmcoreinfo,
                                                              Diagnostics& diagnostics);

}  // namespace photon_dmesg
