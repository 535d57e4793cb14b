#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/address.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/symbols/call_frames.h"
#include "kernel/tasks/task_reader.h"
#include "kernel/unwind/cursor.h"
#include "kernel/unwind/trace.h"

namespace photon_dmesg {

// How what called what can be told on the stacks of one kind of processor.
class CallChain {
 public:
  CallChain() = default;
  CallChain(const CallChain&) = delete;
  CallChain& operator=(const CallChain&) = delete;
  virtual ~CallChain() = default;

  [[nodiscard]] virtual UnwindMethod method() const = 0;

  // Goes from the function at `cursor` to its caller.
  [[nodiscard]] virtual Step step(Cursor& cursor) const = 0;

  // Where `task`, which was not running, gave its CPU away; nothing if no such place is saved.
  [[nodiscard]] virtual std::optional<Cursor> start(const Task& task) const = 0;
  // Where `vcpu` was, in the kernel or not; nothing if the checkpoint lacks the registers.
  [[nodiscard]] virtual std::optional<Cursor> start(const Vcpu& vcpu) const = 0;

  // The return address that `value`, a word on a stack, may be: code with a call in front. Nothing
  // if it can be none.
  [[nodiscard]] virtual std::optional<GuestVirtual> return_address(std::uint64_t value) const = 0;

  // Whether the top of a stack for interrupts has the place on the stack that the interrupt met.
  [[nodiscard]] virtual bool links_interrupt_stacks() const { return false; }
};

// Gives what debug information tells of the kernel's frames, or null if there is none.
using OpenCallFrames = std::function<std::unique_ptr<CallFrames>()>;

}  // namespace photon_dmesg
