#include "kernel/unwind/frame_record_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/little_endian.h"
#include "checkpoint/guest/privilege.h"
#include "kernel/arch/architecture.h"
#include "kernel/unwind/aarch64_code.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// Two words, as every function that calls another has them on the stack.
struct FrameRecord {
  std::uint64_t next = 0;  // the caller's x29
  std::uint64_t address = 0;
};

// struct pt_regs (arch/arm64/include/asm/ptrace.h): x0 to x30, sp, pc, pstate; the frame record
// lies behind, since 6.13 a word nearer, as nothing is kept of the mask of priorities any more.
struct ExceptionRegisters {
  std::uint64_t fp = 0;
  std::uint64_t link = 0;
  GuestVirtual sp;
  GuestVirtual pc;
  std::uint64_t pstate = 0;
};
constexpr std::uint64_t registers_size = 34 * word;
constexpr std::uint64_t record_in_registers = 304;
constexpr std::uint64_t record_in_registers_6_13 = 296;
constexpr std::uint64_t kind_in_record = 16;   // struct frame_record_meta
constexpr std::uint64_t kind_interrupted = 2;  // FRAME_META_TYPE_PT_REGS

// The ways into the kernel, which find in the link register what another has left there.
bool is_entry_code(const CodePlace& place) {
  constexpr std::array prefixes = {"el0", "el1", "vectors", "__bad_stack", "tramp_"};
  return place.module.empty() &&
         std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return place.symbol.starts_with(prefix); });
}

class FrameRecordStep {
 public:
  FrameRecordStep(const KernelMemory& memory, const CodeMap& code, ReleaseNumber release,
                  Cursor& cursor)
      : memory_(memory),
        code_(code),
        has_kinds_(release >= ReleaseNumber{6, 13}),
        cursor_(cursor) {}

  Step run() {
    if (cursor_.is_exact && return_by_link()) return {Step::Result::Caller, false, {}};
    if (!cursor_.bp || *cursor_.bp == 0) return end();
    const GuestVirtual at{*cursor_.bp};
    if (at.value % word != 0) return broken(fmt::format("{} is no frame pointer", at));
    const auto record = read_record(at);
    if (!record) return broken(fmt::format("the frame at {} can't be read", at));
    if (const auto registers = registers_with(*record, at)) return leave_exception(*registers);
    // Until 5.10 the stacks of CPUs and threads begin with none.
    if (record->next == 0 && (record->address == 0 || is_in_first_function())) return end();
    return follow(at, *record);
  }

 private:
  static Step broken(std::string why) { return {Step::Result::Broken, false, std::move(why)}; }

  [[nodiscard]] std::optional<FrameRecord> read_record(GuestVirtual at) const {
    std::array<std::byte, 2 * word> bytes{};
    if (!memory_.read(at, bytes)) return std::nullopt;
    return FrameRecord{load_unsigned(std::span(bytes).first(word)),
                       load_unsigned(std::span(bytes).last(word))};
  }

  [[nodiscard]] std::optional<ExceptionRegisters> read_registers(GuestVirtual at) const {
    constexpr std::size_t fp = 29;
    constexpr std::size_t link = 30;
    std::array<std::byte, registers_size> bytes{};
    if (!memory_.read(at, bytes)) return std::nullopt;
    const auto number = [&](std::size_t index) {
      return load_unsigned(std::span(bytes).subspan(index * word, word));
    };
    return ExceptionRegisters{
        number(fp), number(link), {number(link + 1)}, {number(link + 2)}, number(link + 3)};
  }

  // The registers that the record at `at` is a part of: that of a way in from user mode is empty,
  // others say what the registers do.
  [[nodiscard]] std::optional<ExceptionRegisters> registers_with(const FrameRecord& record,
                                                                 GuestVirtual at) const {
    const std::uint64_t offset = has_kinds_ ? record_in_registers_6_13 : record_in_registers;
    const auto found = read_registers({at.value - offset});
    if (!found) return std::nullopt;
    const bool is_empty = record.next == 0 && record.address == 0;
    if (is_empty && is_user_state(found->pstate)) {
      const bool may_be_user = found->pc.value != 0 &&
                               !memory_.tables().architecture().is_kernel_pointer(found->pc.value);
      return may_be_user ? found : std::nullopt;
    }
    if (is_user_state(found->pstate)) return std::nullopt;
    if (has_kinds_) {
      const bool is_interrupted =
          is_empty && memory_.read_unsigned(at + kind_in_record, word) == kind_interrupted;
      return is_interrupted ? found : std::nullopt;
    }
    const bool says_the_same =
        !is_empty && found->fp == record.next && found->pc.value == record.address;
    return says_the_same ? found : std::nullopt;
  }

  Step leave_exception(const ExceptionRegisters& registers) {
    cursor_.ip = registers.pc;
    cursor_.sp = registers.sp;
    cursor_.bp = registers.fp;
    cursor_.link = registers.link;
    cursor_.is_exact = true;
    return {is_user_state(registers.pstate) ? Step::Result::User : Step::Result::Caller, true, {}};
  }

  void return_to(GuestVirtual sp, GuestVirtual ip, std::uint64_t fp) {
    cursor_.ip = ip;
    cursor_.sp = sp;
    cursor_.bp = fp;
    cursor_.link.reset();
    cursor_.is_exact = false;
  }

  Step follow(GuestVirtual at, const FrameRecord& record) {
    const GuestVirtual caller = aarch64::strip_authentication(memory_, record.address);
    if (!code_.is_text({caller.value - 1})) {
      return broken(fmt::format("the frame at {} returns to {}, which is no code", at, caller));
    }
    if (!aarch64::is_behind_call(memory_, caller).value_or(true)) {
      return broken(
          fmt::format("the frame at {} returns to {}, where no call has led", at, caller));
    }
    return_to(at + 2 * word, caller, record.next);
    return {Step::Result::Caller, false, {}};
  }

  // Where the chain of records ends it must be at a stack's first function.
  [[nodiscard]] Step end() const {
    if (is_in_first_function()) return {Step::Result::End, false, {}};
    return broken("the chain of frame pointers ends");
  }

  // Whether this is what kernel threads or CPUs begin with (arch/arm64/kernel/entry.S, head.S).
  [[nodiscard]] bool is_in_first_function() const {
    constexpr std::array names = {"ret_from_fork", "__primary_switched", "__secondary_switched",
                                  "secondary_start_kernel", "start_kernel"};
    const auto place = cursor_.is_exact ? code_.place(cursor_.ip) : code_.place_of_call(cursor_.ip);
    return place && std::any_of(names.begin(), names.end(),
                                [&](std::string_view name) { return place->symbol == name; });
  }

  // The caller of a function without a record: then x29 is the caller's. False if it has one, or if
  // that can't be told.
  bool return_by_link() {
    if (!cursor_.link) return false;
    const GuestVirtual caller = aarch64::strip_authentication(memory_, *cursor_.link);
    const bool is_caller = code_.is_text({caller.value - 1}) &&
                           aarch64::is_behind_call(memory_, caller).value_or(false);
    if (!is_caller || !has_no_record()) return false;
    // Nothing was pushed for it, but its caller's record is there, or further up.
    return_to(cursor_.sp + word, caller, cursor_.bp.value_or(0));
    return true;
  }

  // Where there is no code at all, a call of a null pointer has led.
  [[nodiscard]] bool has_no_record() const {
    if (!code_.is_text(cursor_.ip)) return true;
    const auto place = code_.place(cursor_.ip);
    if (!place || is_entry_code(*place)) return false;
    return aarch64::is_without_frame(memory_, GuestVirtual{cursor_.ip.value - place->offset},
                                     cursor_.ip);
  }

  const KernelMemory& memory_;
  const CodeMap& code_;
  bool has_kinds_;
  Cursor& cursor_;
};

}  // namespace

Step step_by_frame_record(const KernelMemory& memory, const CodeMap& code, ReleaseNumber release,
                          Cursor& cursor) {
  return FrameRecordStep(memory, code, release, cursor).run();
}

}  // namespace photon_dmesg
