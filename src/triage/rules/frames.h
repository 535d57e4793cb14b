#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "kernel/unwind/trace.h"

// What traces mean: the one place that knows functions of the kernel by name.
namespace photon_dmesg {

// A function's name without what compilers add: "lab_write" of "lab_write.isra.0.cold".
[[nodiscard]] std::string_view plain_name(std::string_view symbol);

// Whether a reliable frame of `trace` is in one of these functions. A name that ends in "*" stands
// for all that begin with the rest.
[[nodiscard]] bool calls_any(const Trace& trace, std::initializer_list<std::string_view> names);

// In the loop of a CPU that has nothing to do, and not in an interrupt that came into it.
[[nodiscard]] bool is_in_idle_loop(const Trace& trace);
// In panic(), or saving a crash dump.
[[nodiscard]] bool is_in_panic(const Trace& trace);
// Stopped by another CPU's panic.
[[nodiscard]] bool is_stopped_by_panic(const Trace& trace);
// Waiting until other CPUs have answered an interrupt.
[[nodiscard]] bool waits_for_other_cpus(const Trace& trace);
// In the slow path of a spinlock.
[[nodiscard]] bool spins_on_lock(const Trace& trace);
// Sleeping until a child that it has made by vfork() goes its own way, which may take long.
[[nodiscard]] bool waits_for_vfork(const Trace& trace);
// Sleeping for a time, not for anything.
[[nodiscard]] bool sleeps_for_time(const Trace& trace);
// Waiting for a disk.
[[nodiscard]] bool waits_for_io(const Trace& trace);
// Waiting for the journal of a file system, which waits for a disk itself.
[[nodiscard]] bool waits_for_journal(const Trace& trace);

// The trace in one line, the newest function first: "lab_spin+0x12 [lab] < lab_write < write(2)".
// The machinery of panics, of sleeping and of locks in front is left out where more than that is
// there. Empty for a trace without a reliable frame.
[[nodiscard]] std::string summary_of(const Trace& trace);
// The same from what an exception or interrupt came into on, where one did: what a CPU did before
// it panicked.
[[nodiscard]] std::string fault_of(const Trace& trace);

// `trace` without what an interrupt does in front, of which the caller knows that it is over in a
// moment, as that of a timer. What came of one and takes longer, a softirq, stays.
[[nodiscard]] Trace below_tick(const Trace& trace);

// The name of the function that matters: the first in summary_of(); empty if there is none.
[[nodiscard]] std::string culprit_of(const Trace& trace);
// The function of the work that a worker is at, whatever it or an interrupt does there; empty if it
// is at none.
[[nodiscard]] std::string work_of(const Trace& trace);

}  // namespace photon_dmesg
