#pragma once

#include <optional>

#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/tasks/tasks.h"
#include "kernel/unwind/cursor.h"
#include "kernel/unwind/orc.h"
#include "kernel/unwind/stacks.h"
#include "kernel/unwind/trace.h"

namespace photon_dmesg {

// Finds what called what on the stacks of a guest: by the kernel's ORC tables where it has them, by
// frame pointers else. Where neither goes on, the words on the rest of the stack that may be return
// addresses follow as guesses.
class Unwinder {
 public:
  // All must outlive this object.
  Unwinder(const GuestKernel& kernel, const CodeMap& code, const Stacks& stacks,
           Diagnostics& diagnostics);

  // The trace of a task that was not running: from where it gave its CPU away.
  [[nodiscard]] Trace trace(const Task& task) const;

  // The trace of what `vcpu` was running. In user mode there is nothing on the kernel's stack.
  [[nodiscard]] Trace trace(const Vcpu& vcpu) const;

 private:
  class Walk;

  [[nodiscard]] std::optional<Cursor> start(const Task& task) const;

  const GuestKernel& kernel_;
  const CodeMap& code_;
  const Stacks& stacks_;
  std::optional<OrcTables> orc_;
  bool has_task_frame_ = true;  // switch_to leaves a struct inactive_task_frame, since 4.9
};

}  // namespace photon_dmesg
