#pragma once

#include <optional>

#include "kernel/arch/release_number.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/unwind/call_chain.h"

namespace photon_dmesg {

// arm64's: by frame records (frame_record_step.h).
class Aarch64CallChain final : public CallChain {
 public:
  Aarch64CallChain(const GuestKernel& kernel, const CodeMap& code);

  [[nodiscard]] UnwindMethod method() const override { return UnwindMethod::FramePointers; }
  [[nodiscard]] Step step(Cursor& cursor) const override;
  [[nodiscard]] std::optional<Cursor> start(const Task& task) const override;
  [[nodiscard]] std::optional<Cursor> start(const Vcpu& vcpu) const override;
  [[nodiscard]] std::optional<GuestVirtual> return_address(std::uint64_t value) const override;

 private:
  const KernelMemory& memory_;
  const CodeMap& code_;
  ReleaseNumber release_;
};

}  // namespace photon_dmesg
