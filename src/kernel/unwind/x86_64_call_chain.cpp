#include "kernel/unwind/x86_64_call_chain.h"

#include "kernel/arch/release_number.h"
#include "kernel/unwind/call_frame_step.h"
#include "kernel/unwind/call_sites.h"
#include "kernel/unwind/frame_pointer_step.h"
#include "kernel/unwind/orc_step.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// struct inactive_task_frame (arch/x86/include/asm/switch_to.h): where bp and the return address
// are in it. Kernels that save the flags too have one word more in front.
constexpr std::uint64_t task_frame_bp = 40;
constexpr std::uint64_t task_frame_return = 48;

}  // namespace

X86CallChain::X86CallChain(const GuestKernel& kernel, const CodeMap& code,
                           const OpenCallFrames& open_frames, Diagnostics& diagnostics)
    : kernel_(kernel),
      code_(code),
      orc_(OrcTables::find(kernel, code.modules(), diagnostics)),
      frames_(orc_ ? nullptr : open_frames()),
      has_task_frame_(release_number(kernel.banner().release) >= ReleaseNumber{4, 9}) {}

UnwindMethod X86CallChain::method() const {
  if (orc_) return UnwindMethod::Orc;
  return frames_ ? UnwindMethod::DebugFrame : UnwindMethod::FramePointers;
}

Step X86CallChain::step(Cursor& cursor) const {
  const KernelMemory& memory = kernel_.memory();
  if (orc_) return step_by_orc(memory, code_, *orc_, cursor);
  if (frames_ && step_by_call_frame(memory, code_, *frames_, kernel_.kaslr_offset(), cursor)) {
    return {Step::Result::Caller, false, {}};
  }
  return step_by_frame_pointer(memory, code_, cursor);
}

std::optional<Cursor> X86CallChain::start(const Task& task) const {
  if (!task.saved_sp) return std::nullopt;
  const KernelMemory& memory = kernel_.memory();
  const auto read = [&](std::uint64_t offset) {
    return memory.read_unsigned(*task.saved_sp + offset, word);
  };
  Cursor cursor;
  if (!has_task_frame_) {
    // switch_to has pushed rbp only; where it goes on, in __schedule, stands nowhere.
    cursor.bp = read(0);
    cursor.sp = *task.saved_sp + word;
    return cursor;
  }
  for (const std::uint64_t flags : {std::uint64_t{0}, word}) {
    const auto ip = read(flags + task_frame_return);
    if (!ip || !code_.is_text({*ip})) continue;
    cursor.ip = {*ip};
    cursor.bp = read(flags + task_frame_bp);
    cursor.sp = *task.saved_sp + flags + task_frame_return + word;
    return cursor;
  }
  return std::nullopt;
}

std::optional<Cursor> X86CallChain::start(const Vcpu& vcpu) const {
  const auto registers = registers_of(vcpu);
  if (!registers) return std::nullopt;
  Cursor cursor;
  cursor.ip = registers->ip;
  cursor.sp = {*registers->general[Rsp]};
  cursor.bp = registers->general[Rbp];
  cursor.is_exact = true;
  cursor.registers = registers;
  cursor.is_unsure = vcpu.x86.stack_registers_in_doubt;
  return cursor;
}

std::optional<GuestVirtual> X86CallChain::return_address(std::uint64_t value) const {
  const bool may_be = may_be_return_address(kernel_.memory(), code_, {value});
  return may_be ? std::optional(GuestVirtual{value}) : std::nullopt;
}

}  // namespace photon_dmesg
