#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel/arch/release_number.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/waits/wait.h"

namespace photon_dmesg {

// What a sleeping task leaves on its stack for one kind of wait: an object that names the task and
// is a node of the ring of all who wait for the same thing. Offsets in bytes.
struct WaitForm {
  WaitKind kind = WaitKind::WaitQueue;
  std::uint64_t task = 0;  // where in it the task stands
  std::uint64_t link = 0;  // and the node
  // From the beginning of what is waited for to the ring's head. Nothing: there is none, the object
  // itself says what it is, in the word at `object`.
  std::optional<std::uint64_t> head;
  std::uint64_t object = 0;
};

// The kind of wait that `function`, on the stack of a sleeping task, is for: the newest function of
// which that is known decides.
[[nodiscard]] std::optional<WaitKind> wait_of_function(std::string_view function);

// Its form by the guest's types, or where they don't tell, as it is in kernels of `release` without
// lock debugging; nothing where it is in doubt which those have.
[[nodiscard]] std::optional<WaitForm> form_of(WaitKind kind, const KernelTypes& types,
                                              ReleaseNumber release);

}  // namespace photon_dmesg
