#include "kernel/unwind/stack_support.h"

#include "kernel/arch/machines/machines.h"
#include "kernel/unwind/aarch64_call_chain.h"
#include "kernel/unwind/aarch64_stacks.h"
#include "kernel/unwind/x86_64_call_chain.h"
#include "kernel/unwind/x86_64_stacks.h"

namespace photon_dmesg {
namespace {

using Chain = std::unique_ptr<const CallChain>;

constexpr StackSupport aarch64_support = {
    [](const GuestKernel& kernel, const CodeMap& code, const OpenCallFrames& /*open_frames*/,
       Diagnostics& /*diagnostics*/) -> Chain {
      return std::make_unique<Aarch64CallChain>(kernel, code);
    },
    find_aarch64_stacks};

constexpr StackSupport x86_64_support = {
    [](const GuestKernel& kernel, const CodeMap& code, const OpenCallFrames& open_frames,
       Diagnostics& diagnostics) -> Chain {
      return std::make_unique<X86CallChain>(kernel, code, open_frames, diagnostics);
    },
    find_x86_64_stacks};

}  // namespace

const StackSupport& stack_support_of(const GuestKernel& kernel) {
  const bool is_aarch64 = is_of(kernel.memory().tables().architecture(), Machine::Aarch64);
  return is_aarch64 ? aarch64_support : x86_64_support;
}

}  // namespace photon_dmesg
