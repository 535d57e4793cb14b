#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "kernel/unwind/registers.h"

namespace photon_dmesg {

// How far a trace has come: a place in the code, and what the registers were when it was reached.
struct Cursor {
  GuestVirtual ip;
  GuestVirtual sp;
  std::optional<std::uint64_t> bp;  // the frame pointer: rbp, or x29
  // Whether `ip` is that of an instruction that comes next; else it is a return address, and the
  // call in front of it counts.
  bool is_exact = false;
  // arm64: the link register, where an exception has left it or the processor has it.
  std::optional<std::uint64_t> link;
  // x86-64: all registers, where an exception has left them or the processor has them.
  std::optional<Registers> registers;
  // Those of the place before, where an exception has left only the processor's own part.
  std::optional<Registers> registers_before;
  // Nothing vouches for what comes from here on.
  bool is_unsure = false;
};

// What one step from a frame to its caller came to.
struct Step {
  enum class Result {
    Caller,  // the cursor is at the caller
    User,    // the caller is in user mode; the cursor's ip is there
    End,     // there is none: this was the stack's first function
    Broken,  // it can't be told: `why`
  };
  Result result = Result::Broken;
  bool is_interrupted = false;  // Caller: it was interrupted, and called nothing
  std::string why;
};

}  // namespace photon_dmesg
