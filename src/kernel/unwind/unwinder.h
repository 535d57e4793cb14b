#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/call_frames.h"
#include "kernel/tasks/tasks.h"
#include "kernel/unwind/cursor.h"
#include "kernel/unwind/orc.h"
#include "kernel/unwind/stacks.h"
#include "kernel/unwind/trace.h"

namespace photon_dmesg {

// Finds what called what on the stacks of a guest: by the kernel's ORC tables where it has them,
// else by its debug information as far as that tells, and by frame pointers. Where none goes on,
// the words on the rest of the stack that may be return addresses follow as guesses.
class Unwinder {
 public:
  // Gives what debug information tells of the kernel's frames, or null if there is none.
  using OpenCallFrames = std::function<std::unique_ptr<CallFrames>()>;

  // All must outlive this object but `open_frames`, which is asked only where there is no ORC.
  Unwinder(const GuestKernel& kernel, const CodeMap& code, const Stacks& stacks,
           const OpenCallFrames& open_frames, Diagnostics& diagnostics);

  // The trace of a task that was not running: from where it gave its CPU away.
  [[nodiscard]] Trace trace(const Task& task) const;

  // The trace of what `vcpu` was running. In user mode there is nothing on the kernel's stack.
  [[nodiscard]] Trace trace(const Vcpu& vcpu) const;

 private:
  class Walk;

  [[nodiscard]] std::optional<Cursor> start(const Task& task) const;
  [[nodiscard]] UnwindMethod method() const;
  [[nodiscard]] Step step(Cursor& cursor) const;

  const GuestKernel& kernel_;
  const CodeMap& code_;
  const Stacks& stacks_;
  std::optional<OrcTables> orc_;
  std::unique_ptr<CallFrames> frames_;  // null: there are none, or no need of them
  bool has_task_frame_ = true;          // switch_to leaves a struct inactive_task_frame, since 4.9
};

}  // namespace photon_dmesg
