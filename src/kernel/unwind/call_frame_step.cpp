#include "kernel/unwind/call_frame_step.h"

#include <optional>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

std::uint64_t add(std::uint64_t value, std::int64_t offset) {
  return value + static_cast<std::uint64_t>(offset);
}

std::optional<CallFrame> find_frame(const CodeMap& code, const CallFrames& frames,
                                    std::uint64_t kaslr_offset, const Cursor& cursor) {
  const GuestVirtual at{cursor.is_exact ? cursor.ip.value : cursor.ip.value - 1};
  // A module's code, moved by the image's offset, may be where the image has other code.
  const auto place = code.place(at);
  if (!place || !place->module.empty()) return std::nullopt;
  return frames.find({at.value - kaslr_offset});
}

}  // namespace

bool step_by_call_frame(const KernelMemory& memory, const CodeMap& code, const CallFrames& frames,
                        std::uint64_t kaslr_offset, Cursor& cursor) {
  const auto frame = find_frame(code, frames, kaslr_offset, cursor);
  if (!frame) return false;
  const auto base = frame->base == CallFrame::Base::Bp ? cursor.bp : std::optional(cursor.sp.value);
  if (!base) return false;
  const std::uint64_t begin = add(*base, frame->offset);
  const auto caller = memory.read_unsigned({begin - word}, word);
  if (!caller || begin <= cursor.sp.value || !code.is_text({*caller - 1})) return false;
  std::optional<std::uint64_t> bp = cursor.bp;
  if (frame->saved_bp) {
    bp = memory.read_unsigned({add(begin, *frame->saved_bp)}, word);
    if (!bp) return false;
  }
  Cursor next;
  next.ip = {*caller};
  next.sp = {begin};
  next.bp = bp;
  next.is_unsure = cursor.is_unsure;
  cursor = next;
  return true;
}

}  // namespace photon_dmesg
