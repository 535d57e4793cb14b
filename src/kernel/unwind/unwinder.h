#pragma once

#include <cstdint>
#include <memory>

#include "base/budget.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/tasks/tasks.h"
#include "kernel/unwind/call_chain.h"
#include "kernel/unwind/stacks.h"
#include "kernel/unwind/trace.h"

namespace photon_dmesg {

// What the traces of many tasks may take together.
struct TraceBudgets {
  Budget frames;
  Budget words;  // of stacks, looked through for what may be a return address
};

// Finds what called what on the stacks of a guest, by its processors' chain of calls. Where that
// does not go on, the words on the rest of the stack that may be return addresses follow as
// guesses.
class Unwinder {
 public:
  using OpenCallFrames = photon_dmesg::OpenCallFrames;

  // All must outlive this object but `open_frames`.
  Unwinder(const GuestKernel& kernel, const CodeMap& code, const Stacks& stacks,
           const OpenCallFrames& open_frames, Diagnostics& diagnostics);
  // By a chain that is there already.
  Unwinder(const GuestKernel& kernel, const CodeMap& code, const Stacks& stacks,
           std::unique_ptr<const CallChain> chain);

  // The trace of a task that was not running: from where it gave its CPU away. What it takes is
  // taken off `budgets`, if there are any: with the last frame it ends, with the last word the
  // guesses do.
  [[nodiscard]] Trace trace(const Task& task, TraceBudgets* budgets = nullptr) const;

  // The trace of what `vcpu` was running. In user mode there is nothing on the kernel's stack.
  [[nodiscard]] Trace trace(const Vcpu& vcpu) const;

 private:
  class Walk;

  const KernelMemory& memory_;
  const CodeMap& code_;
  const Stacks& stacks_;
  std::unique_ptr<const CallChain> chain_;
  std::uint64_t stack_size_;  // bytes of a task's
};

}  // namespace photon_dmesg
