#include "kernel/unwind/frame_pointer_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/arch/architecture.h"
#include "kernel/unwind/call_sites.h"
#include "kernel/unwind/return_hook.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// What entry code is called (arch/x86/entry/entry_64.S), before 4.10 and since.
bool is_entry_code(const CodePlace& place) {
  constexpr std::array prefixes = {
      "entry_",         "asm_",         "ret_from_",      "common_interrupt",
      "apic_timer_",    "error_",       "page_fault",     "async_page_fault",
      "general_protec", "nmi",          "double_fault",   "int3",
      "debug",          "do_syscall",   "reschedule_",    "call_function_",
      "invalid_op",     "retint_",      "irq_entries_",   "system_call",
      "machine_check",  "divide_err",   "irq_work_inte",  "stub_",
      "end_repeat_nmi", "reboot_inter", "x86_platform_",  "spurious_inter",
      "threshold_inte", "thermal_inte", "deferred_error", "irq_move_clean",
      "kvm_posted_int", "hyperv_callb", "stack_segment",  "segment_not_pr",
      "device_not_ava", "alignment_ch", "coprocessor_",   "simd_coproc",
      "invalid_TSS",    "tracesys",     "int_ret_from_"};
  return place.module.empty() &&
         std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return place.symbol.starts_with(prefix); });
}

class FramePointerStep {
 public:
  FramePointerStep(const KernelMemory& memory, const CodeMap& code, Cursor& cursor)
      : memory_(memory), code_(code), cursor_(cursor) {}

  Step run() {
    if (cursor_.is_exact && return_without_frame()) return caller();
    // Until 4.16 a system call has left user mode's own value in the register, whatever it is.
    const bool is_encoded = cursor_.bp && (*cursor_.bp & 1) != 0 &&
                            memory_.tables().architecture().is_kernel_pointer(*cursor_.bp);
    if (!cursor_.is_exact && !is_encoded) {
      if (auto step = leave_entry_code()) return *step;
    }
    if (!cursor_.bp || *cursor_.bp == 0) {
      if (is_in_first_function(cursor_.ip)) return {Step::Result::End, false, {}};
      return broken("the chain of frame pointers ends");
    }
    if (is_encoded) return resume({*cursor_.bp & ~std::uint64_t{1}});
    return follow({*cursor_.bp});
  }

 private:
  static Step broken(std::string why) { return {Step::Result::Broken, false, std::move(why)}; }
  static Step caller() { return {Step::Result::Caller, false, {}}; }

  [[nodiscard]] std::optional<std::uint64_t> read(GuestVirtual address) const {
    return memory_.read_unsigned(address, word);
  }

  // Whether this is where a CPU begins: it has no frame pointer to leave.
  [[nodiscard]] bool is_in_first_function(GuestVirtual return_address) const {
    constexpr std::array names = {"secondary_startup_64", "common_startup_64", "startup_64",
                                  "start_secondary",      "x86_64_start_",     "start_cpu0",
                                  "start_kernel"};
    const auto place = code_.place_of_call(return_address);
    return place && std::any_of(names.begin(), names.end(), [&](std::string_view name) {
             return place->symbol.starts_with(name);
           });
  }

  // Code that can't be read may have a call in front; a CPU's first function is left by a return.
  [[nodiscard]] bool may_return_to(GuestVirtual address) const {
    return is_behind_call(memory_, address).value_or(true) || is_in_first_function(address) ||
           is_return_hook(code_, address);
  }

  Step follow(GuestVirtual frame) {
    if (frame.value % word != 0) return broken(fmt::format("{} is no frame pointer", frame));
    const auto next = read(frame);
    const auto address = read(frame + word);
    if (!next || !address) return broken(fmt::format("the frame at {} can't be read", frame));
    // Whether that is a stack's beginning is for who knows where the stack is.
    if (*address != 0 && !code_.is_text({*address - 1})) {
      return broken(
          fmt::format("the frame at {} returns to {:#x}, which is no code", frame, *address));
    }
    if (*address != 0 && !may_return_to({*address})) {
      return broken(
          fmt::format("the frame at {} returns to {:#x}, where no call has led", frame, *address));
    }
    return_to(frame + 2 * word, {*address}, *next);
    return caller();
  }

  void return_to(GuestVirtual sp, GuestVirtual ip, std::uint64_t bp) {
    cursor_.ip = ip;
    cursor_.sp = sp;
    cursor_.bp = bp;
    cursor_.is_exact = false;
    cursor_.registers.reset();
  }

  // Goes on where an interrupt or exception came, by the registers at `address`.
  Step resume(GuestVirtual address) {
    const auto found = read_pt_regs(memory_, address);
    if (!found) return broken(fmt::format("the registers at {} can't be read", address));
    if (!found->is_user() && found->ip.value == 0) {
      return {Step::Result::End, false, {}};  // a kernel thread has never come from user mode
    }
    cursor_.ip = found->ip;
    cursor_.sp = {*found->general[Rsp]};
    cursor_.bp = found->general[Rbp];
    cursor_.is_exact = true;
    cursor_.registers = found;
    return {found->is_user() ? Step::Result::User : Step::Result::Caller, true, {}};
  }

  // What a real pt_regs of 64-bit code can have in its segment and instruction pointer.
  [[nodiscard]] bool is_sound(const Registers& registers) const {
    constexpr std::uint16_t kernel_code = 0x10;
    constexpr std::array<std::uint16_t, 2> user_code = {0x33, 0x23};
    if (registers.cs == kernel_code) return code_.is_text(registers.ip);
    return std::find(user_code.begin(), user_code.end(), registers.cs) != user_code.end() &&
           !memory_.tables().architecture().is_kernel_pointer(registers.ip.value);
  }

  // From a return address in entry code: behind it stand the registers, or where they are.
  std::optional<Step> leave_entry_code() {
    const auto place = code_.place_of_call(cursor_.ip);
    if (!place || !is_entry_code(*place)) return std::nullopt;
    std::vector<GuestVirtual> places = {cursor_.sp};
    if (const auto pointed = read(cursor_.sp)) places.push_back({*pointed});
    for (const GuestVirtual at : places) {
      const auto registers = read_pt_regs(memory_, at);
      if (registers && is_sound(*registers)) return resume(at);
    }
    if (place->symbol.starts_with("ret_from_fork")) return Step{Step::Result::End, false, {}};
    return std::nullopt;
  }

  // The caller of a function that has not, or no longer, a frame of its own: then the frame pointer
  // is the caller's. False if it has one, or if that can't be told.
  bool return_without_frame() {
    const auto place = code_.place(cursor_.ip);
    if (!place) return false;
    const GuestVirtual begin{cursor_.ip.value - place->offset};
    const auto slot = find_caller(begin, makes_frame_later(begin, place->offset));
    if (!slot) return false;
    // Its own frame, if it has one, has the return address right behind the frame pointer.
    if (cursor_.bp && *slot == GuestVirtual{*cursor_.bp + word}) return false;
    return_to(*slot + word, {*read(*slot)}, cursor_.bp.value_or(0));
    return true;
  }

  // Where the return address of the call of the function at `begin` stands, near the stack's top.
  // One of a call through a pointer names no function: it counts only in the first word, and if the
  // function has no frame there.
  [[nodiscard]] std::optional<GuestVirtual> find_caller(GuestVirtual begin,
                                                        bool without_frame) const {
    constexpr std::uint64_t most_words = 8;
    const auto value = without_frame ? read(cursor_.sp) : std::nullopt;
    if (value && code_.is_text({*value - 1}) && is_behind_indirect_call(memory_, code_, {*value})) {
      return cursor_.sp;
    }
    return find_call_of(memory_, code_, begin, cursor_.sp, most_words);
  }

  // Whether the function at `begin` makes its frame (mov %rsp,%rbp) behind `offset`, or never. The
  // compiler may put other instructions between that and push %rbp.
  [[nodiscard]] bool makes_frame_later(GuestVirtual begin, std::uint64_t offset) const {
    constexpr std::array<std::byte, 3> makes_frame = {std::byte{0x48}, std::byte{0x89},
                                                      std::byte{0xe5}};
    constexpr std::uint64_t longest = 4096;
    if (offset > longest) return false;
    std::vector<std::byte> code(offset);
    if (!memory_.read(begin, code)) return false;
    return std::search(code.begin(), code.end(), makes_frame.begin(), makes_frame.end()) ==
           code.end();
  }

  const KernelMemory& memory_;
  const CodeMap& code_;
  Cursor& cursor_;
};

}  // namespace

Step step_by_frame_pointer(const KernelMemory& memory, const CodeMap& code, Cursor& cursor) {
  return FramePointerStep(memory, code, cursor).run();
}

}  // namespace photon_dmesg
