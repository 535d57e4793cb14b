#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "kernel/code/code_place.h"
#include "kernel/unwind/stacks.h"

namespace photon_dmesg {

// What an address in a trace is.
enum class FrameKind {
  Instruction,  // the one that comes next
  Call,         // the one behind a call that has not returned
  Interrupted,  // the one that an interrupt or exception came before
};

// One line of a trace.
struct Frame {
  GuestVirtual address;
  FrameKind kind = FrameKind::Call;
  // Whether it is certain that this function had been entered and not left. A guess is a word on
  // the stack that may be left over from an earlier call: the kernel marks it with "?".
  bool is_reliable = true;
  StackKind stack = StackKind::Task;
  std::optional<CodePlace> place;  // nothing: no function is known there

  // Where the instruction is that the frame is about: in front of a return address is its call.
  [[nodiscard]] GuestVirtual instruction() const {
    return kind == FrameKind::Call ? GuestVirtual{address.value - 1} : address;
  }
};

// How a trace's frames were told apart.
enum class UnwindMethod {
  None,
  Orc,
  FramePointers,
  DebugFrame,  // by what vmlinux tells, and by frame pointers where it tells nothing
};

// Where a trace ends.
enum class TraceEnd {
  User,          // at the way into the kernel from user mode
  KernelThread,  // at the function that all kernel threads begin with
  Start,         // at the kernel's own first function, or that of a CPU
  Exited,        // nowhere: the task has ended, and its stack is freed
  Broken,        // before that: `why` says it
};

// What called what, the newest first.
struct Trace {
  std::vector<Frame> frames;
  UnwindMethod method = UnwindMethod::None;
  TraceEnd end = TraceEnd::Broken;
  std::optional<GuestVirtual> user_ip;  // End::User: where it goes on there
  std::string why;

  [[nodiscard]] bool is_complete() const { return end != TraceEnd::Broken; }
};

// As reports call them: "orc", "frame_pointers"; "user", "kernel_thread".
[[nodiscard]] std::string_view name_of(UnwindMethod method);
[[nodiscard]] std::string_view name_of(TraceEnd end);
[[nodiscard]] std::string_view name_of(FrameKind kind);

}  // namespace photon_dmesg
