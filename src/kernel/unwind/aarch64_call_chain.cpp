#include "kernel/unwind/aarch64_call_chain.h"

#include "kernel/unwind/aarch64_code.h"
#include "kernel/unwind/frame_record_step.h"

namespace photon_dmesg {

Aarch64CallChain::Aarch64CallChain(const GuestKernel& kernel, const CodeMap& code)
    : memory_(kernel.memory()), code_(code), release_(release_number(kernel.banner().release)) {}

Step Aarch64CallChain::step(Cursor& cursor) const {
  return step_by_frame_record(memory_, code_, release_, cursor);
}

// By what cpu_switch_to has saved (arch/arm64/kernel/entry.S).
std::optional<Cursor> Aarch64CallChain::start(const Task& task) const {
  if (!task.saved_sp || !task.saved_ip || !code_.is_text(*task.saved_ip)) return std::nullopt;
  Cursor cursor;
  cursor.ip = *task.saved_ip;
  cursor.sp = *task.saved_sp;
  cursor.bp = task.saved_fp;
  return cursor;
}

std::optional<Cursor> Aarch64CallChain::start(const Vcpu& vcpu) const {
  constexpr std::size_t fp = 29;
  constexpr std::size_t link = 30;
  const Arm64Registers& registers = vcpu.arm64;
  if (!registers.pc || !registers.sp) return std::nullopt;
  Cursor cursor;
  cursor.ip = *registers.pc;
  cursor.sp = *registers.sp;
  cursor.bp = registers.general[fp];
  cursor.link = registers.general[link];
  cursor.is_exact = true;
  return cursor;
}

std::optional<GuestVirtual> Aarch64CallChain::return_address(std::uint64_t value) const {
  const GuestVirtual address = aarch64::strip_authentication(memory_, value);
  const bool is_one = code_.is_text({address.value - 1}) &&
                      aarch64::is_behind_call(memory_, address).value_or(false);
  return is_one ? std::optional(address) : std::nullopt;
}

}  // namespace photon_dmesg
