#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/unwind/trace.h"

namespace photon_dmesg {

// A spinlock that a CPU tries to take (include/asm-generic/qspinlock_types.h). It does not say who
// has it.
struct SpinLock {
  GuestVirtual address;
  std::uint32_t word = 0;           // 0x1 held, 0x100 one CPU waits, from bit 18 on who came last
  std::optional<std::string> name;  // "lab_spinlock [photon_lab]", where a symbol has one
};

// The one that `vcpu`, whose trace is `trace`, is at. The function that waits for a queued spinlock
// gets its address in RDI. Until 5.18 it calls nothing and keeps it there; since then it may call a
// tracepoint's function, and keeps it in another register for that: both must have it. Nothing if
// the vCPU is in no such function, or if that leads to no lock that is taken.
[[nodiscard]] std::optional<SpinLock> find_spinlock(const GuestKernel& kernel, const CodeMap& code,
                                                    const Vcpu& vcpu, const Trace& trace);

// "spinlock lab_spinlock [photon_lab]".
[[nodiscard]] std::string describe(const SpinLock& lock);
// What its word says: "0x101: held, one CPU waits".
[[nodiscard]] std::string describe_word(const SpinLock& lock);

}  // namespace photon_dmesg
