#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/code/code_place.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// Those of all modules that are read; a guest has a tenth of it.
inline constexpr std::uint64_t most_module_symbols = 1 << 22;

// Where a kernel or module has its table of how to unwind its code (ORC).
struct OrcRange {
  GuestVirtual addresses;  // s32 each, relative to its own place, ascending
  GuestVirtual entries;    // 6 bytes each
  std::uint64_t count = 0;
};

// A module that was loaded when the guest stopped.
struct Module {
  std::string name;
  GuestVirtual address;         // of its struct module
  std::vector<CodeRange> text;  // its code, and that of its init function while that runs
  std::vector<CodeRange> data;  // its variables, where the kernel keeps them
  std::optional<OrcRange> orc;  // none: the kernel has no ORC, or the module no code
  GuestVirtual symbols;         // an array of Elf64_Sym with run-time addresses
  std::uint64_t symbol_count = 0;
  GuestVirtual strings;  // their names
};

// All modules in the kernel's list `modules`, the newest first. Without that symbol (linux-esx's
// kallsyms don't have it) or its types they are searched for (module_search.h); a list that is
// damaged is a warning, and so is more than most_module_symbols.
[[nodiscard]] std::vector<Module> read_modules(const GuestKernel& kernel, const KernelTypes& types,
                                               Diagnostics& diagnostics);

}  // namespace photon_dmesg
