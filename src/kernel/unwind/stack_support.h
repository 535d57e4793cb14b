#pragma once

#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/unwind/call_chain.h"
#include "kernel/unwind/stacks.h"

namespace photon_dmesg {

// What is known of the stacks of one kind of processor. Nothing else in this room asks which kind
// it is.
struct StackSupport {
  // `kernel` and `code` must outlive it; `open_frames` is asked where debug information is of use.
  std::unique_ptr<const CallChain> (*make_chain)(const GuestKernel& kernel, const CodeMap& code,
                                                 const OpenCallFrames& open_frames,
                                                 Diagnostics& diagnostics);
  // The stacks that each of `cpus` has beside its tasks'.
  std::vector<Stack> (*find_stacks)(const GuestKernel& kernel, const KernelTypes& types,
                                    const Cpus& cpus);
};

// That of the processors that `kernel` runs on; lives as long as the program.
[[nodiscard]] const StackSupport& stack_support_of(const GuestKernel& kernel);

}  // namespace photon_dmesg
