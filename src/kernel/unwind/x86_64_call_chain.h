#pragma once

#include <memory>
#include <optional>

#include "base/diagnostics.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/unwind/call_chain.h"
#include "kernel/unwind/orc.h"

namespace photon_dmesg {

// x86-64's: by the kernel's ORC tables where it has them, else by its debug information as far as
// that tells, and by frame pointers.
class X86CallChain final : public CallChain {
 public:
  // `open_frames` is asked only where there is no ORC.
  X86CallChain(const GuestKernel& kernel, const CodeMap& code, const OpenCallFrames& open_frames,
               Diagnostics& diagnostics);

  [[nodiscard]] UnwindMethod method() const override;
  [[nodiscard]] Step step(Cursor& cursor) const override;
  [[nodiscard]] std::optional<Cursor> start(const Task& task) const override;
  [[nodiscard]] std::optional<Cursor> start(const Vcpu& vcpu) const override;
  [[nodiscard]] std::optional<GuestVirtual> return_address(std::uint64_t value) const override;
  [[nodiscard]] bool links_interrupt_stacks() const override { return true; }

 private:
  const GuestKernel& kernel_;
  const CodeMap& code_;
  std::optional<OrcTables> orc_;
  std::unique_ptr<CallFrames> frames_;  // null: there are none, or no need of them
  bool has_task_frame_ = true;          // switch_to leaves a struct inactive_task_frame, since 4.9
};

}  // namespace photon_dmesg
