#include "kernel/unwind/call_chain.h"

#include "kernel/arch/machines/machines.h"
#include "kernel/unwind/aarch64_call_chain.h"
#include "kernel/unwind/x86_64_call_chain.h"

namespace photon_dmesg {

std::unique_ptr<const CallChain> make_call_chain(const GuestKernel& kernel, const CodeMap& code,
                                                 const OpenCallFrames& open_frames,
                                                 Diagnostics& diagnostics) {
  if (is_of(kernel.memory().tables().architecture(), Machine::Aarch64)) {
    return std::make_unique<Aarch64CallChain>(kernel, code);
  }
  return std::make_unique<X86CallChain>(kernel, code, open_frames, diagnostics);
}

}  // namespace photon_dmesg
