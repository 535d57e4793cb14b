#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "kernel/code/code_map.h"
#include "kernel/memory/kernel_memory.h"

// Whether what stands on a stack may be a return address: x86-64's calls, told backwards.
namespace photon_dmesg {

// What the call in front of `return_address` calls; nothing if no direct call ends there.
[[nodiscard]] std::optional<GuestVirtual> direct_call_target(const KernelMemory& memory,
                                                             GuestVirtual return_address);

// Whether a call through a register or memory ends at `return_address`, or one of the thunks that
// stand for it where branches are not to be predicted (arch/x86/lib/retpoline.S).
[[nodiscard]] bool is_behind_indirect_call(const KernelMemory& memory, const CodeMap& code,
                                           GuestVirtual return_address);

// Whether any call ends at `return_address`; nothing if the code there can't be read.
[[nodiscard]] std::optional<bool> is_behind_call(const KernelMemory& memory,
                                                 GuestVirtual return_address);

// Where on the stack, in `most_words` from `sp` on, the first return address of a direct call of
// the function at `begin` stands: its caller, whatever has become of its own frame. Nothing if
// there is none.
[[nodiscard]] std::optional<GuestVirtual> find_call_of(const KernelMemory& memory,
                                                       const CodeMap& code, GuestVirtual begin,
                                                       GuestVirtual sp, std::uint64_t most_words);

// Whether `value`, a word on a stack, is code with a call in front. Code that can't be read, such
// as that of functions which the kernel has freed after it had started, has none.
[[nodiscard]] bool may_be_return_address(const KernelMemory& memory, const CodeMap& code,
                                         GuestVirtual value);

}  // namespace photon_dmesg
