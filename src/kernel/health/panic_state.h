#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/find/guest_kernel.h"
#include "kernel/health/reading.h"

namespace photon_dmesg {

// Where the kernel's life stands (enum system_states, include/linux/kernel.h).
enum class SystemState { Booting, Running, ShuttingDown, Suspending };

// "booting", "running".
[[nodiscard]] std::string_view name_of(SystemState state);

// What the kernel's own variables say of its having died. What has no symbol is absent, as most are
// in kernels without KALLSYMS_ALL unless symbols come from a file.
struct PanicState {
  // panic_cpu (4.6 and later): the CPU that is in panic(), or saves a crash dump.
  std::optional<Reading> panic_cpu;
  std::optional<Reading> oops_in_progress;  // more than 0: it is dying of an oops or a panic
  std::optional<Reading> die_counter;       // oopses since boot
  std::optional<Reading> tainted;           // tainted_mask
  std::optional<SystemState> system_state;

  // The CPU that panicked; nothing if none has, or if that is not known.
  [[nodiscard]] std::optional<std::uint32_t> cpu() const;
};

[[nodiscard]] PanicState read_panic_state(const GuestKernel& kernel);

// The letters that the kernel prints behind "Tainted: ", without blanks: "DW"; empty: not tainted.
// By taint_flags of kernel/panic.c.
[[nodiscard]] std::string taint_letters(std::uint64_t mask);

}  // namespace photon_dmesg
