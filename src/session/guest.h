#pragma once

#include <functional>
#include <optional>

#include "base/diagnostics.h"
#include "checkpoint/guest_files.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/find/running_kernel.h"
#include "session/inputs.h"
#include "session/package_use.h"
#include "session/symbol_sources.h"

namespace photon_dmesg {

// A guest's files, opened and understood as far as its kernel.
class Guest {
 public:
  // Takes the files apart as far as the kernel and its symbols. Throws the
  // Error of whichever step fails; Error(Usage) if no file is of a guest.
  Guest(Inputs inputs, const PackageUse& use, Diagnostics& diagnostics);

  [[nodiscard]] const Inputs& inputs() const { return inputs_; }
  [[nodiscard]] const GuestState& state() const { return state_; }
  [[nodiscard]] const SymbolSource& symbols() const { return symbols_; }
  [[nodiscard]] const GuestKernel& kernel() const { return *kernel_; }

  // Whether `vcpu` was running kernel(), by where its page tables lead from its RIP: not so if the
  // guest had crashed and another kernel was saving its memory. True where it can't be told.
  [[nodiscard]] bool runs_kernel(const Vcpu& vcpu) const;

 private:
  std::optional<RunningKernel> find_kernel(Diagnostics& diagnostics);
  std::optional<RunningKernel> choose_reading(Diagnostics& diagnostics);
  void open_kernel(const std::optional<RunningKernel>& running, const PackageUse& use,
                   Diagnostics& diagnostics);
  void open_crashed_kernel(GuestPhysical elf_core_header, const PackageUse& use,
                           Diagnostics& diagnostics);

  Inputs inputs_;  // without the guest's files, which state_ has
  GuestState state_;
  SymbolSource symbols_;
  std::optional<GuestKernel> kernel_;  // refers to the two above
};

}  // namespace photon_dmesg
