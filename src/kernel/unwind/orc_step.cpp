#include "kernel/unwind/orc_step.h"

#include <fmt/format.h>

#include "kernel/unwind/call_sites.h"

namespace photon_dmesg {
namespace {

using Base = OrcEntry::Base;
using Type = OrcEntry::Type;

constexpr std::uint64_t word = sizeof(std::uint64_t);

// Of code that has no entry: a frame pointer, with the return address and the caller's own behind.
constexpr OrcEntry frame_pointer_entry{Type::Call, Base::Bp, 2 * word, Base::PreviousSp, -2 * 8};
// Of a call of a null pointer: the return address is all there is.
constexpr OrcEntry null_entry{Type::Call, Base::Sp, word, Base::Undefined, 0};

std::uint64_t add(std::uint64_t value, std::int16_t offset) {
  return value + static_cast<std::uint64_t>(std::int64_t{offset});
}

class OrcStep {
 public:
  OrcStep(const KernelMemory& memory, Cursor& cursor) : memory_(memory), cursor_(cursor) {}

  Step run(const OrcEntry& entry) {
    if (entry.type == Type::EndOfStack) return {Step::Result::End, false, {}};
    if (entry.type == Type::Undefined) return broken("ORC tells nothing of this place");
    const auto sp = find_sp(entry);
    if (!sp) return broken("the caller's frame can't be found by ORC");
    const std::uint64_t sp_before = cursor_.sp.value;
    const std::optional<std::uint64_t> bp_before = cursor_.bp;
    Step step = entry.type == Type::Call ? return_to(*sp) : resume(*sp, entry.type);
    if (step.result != Step::Result::Caller) return step;
    find_bp(entry, *sp, bp_before);
    if (cursor_.sp.value == sp_before && !step.is_interrupted) {
      return broken("the stack does not go on");
    }
    return step;
  }

 private:
  static Step broken(std::string why) { return {Step::Result::Broken, false, std::move(why)}; }

  [[nodiscard]] std::optional<std::uint64_t> read(std::uint64_t address) const {
    return memory_.read_unsigned({address}, word);
  }

  // A register that only a full set of them tells.
  [[nodiscard]] std::optional<std::uint64_t> saved(X86Register number) const {
    if (cursor_.registers) return cursor_.registers->general[number];
    if (cursor_.registers_before) return cursor_.registers_before->general[number];
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> base_of(Base base) const {
    switch (base) {
      case Base::Sp:
      case Base::SpIndirect:
        return cursor_.sp.value;
      case Base::Bp:
      case Base::BpIndirect:
        return cursor_.bp;
      case Base::R10:
        return saved(R10);
      case Base::R13:
        return saved(R13);
      case Base::Rdi:
        return saved(Rdi);
      case Base::Rdx:
        return saved(Rdx);
      case Base::Rax:
        return saved(Rax);
      case Base::PreviousSp:
      case Base::Undefined:
        break;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> find_sp(const OrcEntry& entry) const {
    const auto base = base_of(entry.sp_base);
    if (!base) return std::nullopt;
    if (entry.sp_base == Base::SpIndirect) {
      const auto pointed = read(*base);
      return pointed ? std::optional(add(*pointed, entry.sp_offset)) : std::nullopt;
    }
    const std::uint64_t sum = add(*base, entry.sp_offset);
    return entry.sp_base == Base::BpIndirect ? read(sum) : std::optional(sum);
  }

  Step return_to(std::uint64_t sp) {
    const auto ip = read(sp - word);
    if (!ip) return broken(fmt::format("the stack at {:#x} can't be read", sp - word));
    cursor_.ip = {*ip};
    cursor_.sp = {sp};
    cursor_.is_exact = false;
    cursor_.registers.reset();
    cursor_.registers_before.reset();
    return {Step::Result::Caller, false, {}};
  }

  // Goes on where an exception came.
  Step resume(std::uint64_t sp, Type type) {
    const bool has_all = type == Type::Regs;
    const auto found = has_all ? read_pt_regs(memory_, {sp}) : read_hardware_part(memory_, {sp});
    if (!found) return broken(fmt::format("the registers at {:#x} can't be read", sp));
    if (!found->is_user() && found->ip.value == 0 && found->cs == 0) {
      return {Step::Result::End, false, {}};  // a kernel thread has never come from user mode
    }
    cursor_.ip = found->ip;
    cursor_.sp = {*found->general[Rsp]};
    cursor_.is_exact = true;
    if (has_all) {
      cursor_.registers = found;
      cursor_.registers_before.reset();
    } else {
      if (cursor_.registers) cursor_.registers_before = cursor_.registers;
      cursor_.registers.reset();
    }
    return {found->is_user() ? Step::Result::User : Step::Result::Caller, true, {}};
  }

  void find_bp(const OrcEntry& entry, std::uint64_t sp, std::optional<std::uint64_t> bp_before) {
    switch (entry.bp_base) {
      case Base::PreviousSp:
        cursor_.bp = read(add(sp, entry.bp_offset));
        break;
      case Base::Bp:
        cursor_.bp = bp_before ? read(add(*bp_before, entry.bp_offset)) : std::nullopt;
        break;
      default:
        if (const auto known = saved(Rbp)) cursor_.bp = known;
        break;
    }
  }

  const KernelMemory& memory_;
  Cursor& cursor_;
};

// Whether the processor is in the function that leaves one task's stack for another's: in the
// middle of that ORC has no answer that is right.
bool switches_stacks(const CodePlace& place) {
  return place.symbol == "__switch_to_asm";
}

// Goes to the caller that has called the function at the cursor, by what stands on the stack.
bool return_to_proved_caller(const KernelMemory& memory, const CodeMap& code,
                             const CodePlace& place, Cursor& cursor) {
  constexpr std::uint64_t most_words = 64;
  const auto slot =
      find_call_of(memory, code, {cursor.ip.value - place.offset}, cursor.sp, most_words);
  const auto caller = slot ? memory.read_unsigned(*slot, word) : std::nullopt;
  if (!caller) return false;
  // The caller's frame pointer is the one that was saved, or is still in its register, if it leads
  // to the caller's part of the stack.
  constexpr std::uint64_t most_distance = 4096;
  std::optional<std::uint64_t> bp;
  const auto take = [&](std::optional<std::uint64_t> candidate) {
    if (!bp && candidate && GuestVirtual{*candidate} - *slot < most_distance) bp = candidate;
  };
  if (switches_stacks(place)) take(memory.read_unsigned({slot->value - word}, word));
  take(cursor.bp);
  cursor = Cursor{};
  cursor.ip = {*caller};
  cursor.sp = *slot + word;
  cursor.bp = bp;
  return true;
}

}  // namespace

Step step_by_orc(const KernelMemory& memory, const CodeMap& code, const OrcTables& tables,
                 Cursor& cursor) {
  OrcStep step(memory, cursor);
  if (cursor.ip.value == 0) return step.run(null_entry);
  const auto entry = tables.find({cursor.is_exact ? cursor.ip.value : cursor.ip.value - 1});
  const auto place = cursor.registers ? code.place(cursor.ip) : std::nullopt;
  const bool tells_nothing = entry && entry->type == Type::Undefined;
  if (place && (tells_nothing || switches_stacks(*place)) &&
      return_to_proved_caller(memory, code, *place, cursor)) {
    return {Step::Result::Caller, false, {}};
  }
  if (!entry) cursor.is_unsure = true;
  return step.run(entry.value_or(frame_pointer_entry));
}

}  // namespace photon_dmesg
