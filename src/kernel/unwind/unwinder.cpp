#include "kernel/unwind/unwinder.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "kernel/arch/machines/machines.h"
#include "kernel/unwind/return_hook.h"
#include "kernel/unwind/stack_support.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
// More than fit on all stacks that one trace may cross.
constexpr std::size_t most_frames = 4096;

}  // namespace

// One trace.
class Unwinder::Walk {
 public:
  Walk(const Unwinder& unwinder, const Cursor& cursor, TraceBudgets* budgets = nullptr)
      : unwinder_(unwinder), cursor_(cursor), begins_unsure_(cursor.is_unsure), budgets_(budgets) {
    trace_.method = unwinder.chain_->method();
  }

  Trace run(FrameKind first, bool show_first) {
    if (show_first) add(first);
    while (true) {
      if (trace_.frames.size() >= most_frames) return fail("the trace has no end");
      const Cursor before = cursor_;
      const Step step = unwinder_.chain_->step(cursor_);
      note_doubt(before);
      switch (step.result) {
        case Step::Result::User:
          return end_in_user_mode();
        case Step::Result::End:
          return end();
        case Step::Result::Broken:
          return fail(step.why);
        case Step::Result::Caller:
          break;
      }
      if (!goes_on(before)) return fail(fmt::format("the stack leads back to {}", cursor_.sp));
      if (cursor_.ip.value == 0 && !step.is_interrupted) return end_at_null();
      if (cursor_.ip.value != 0 && !is_code()) {
        return fail(fmt::format("{} is no code", cursor_.ip));
      }
      if (!step.is_interrupted && is_return_hook(unwinder_.code_, cursor_.ip)) {
        return fail(
            fmt::format("the return address in front of {} is the kernel's own, for probes "
                        "of functions that return",
                        cursor_.sp));
      }
      if (!may_add()) return cut();
      add(step.is_interrupted ? FrameKind::Interrupted : FrameKind::Call);
    }
  }

 private:
  [[nodiscard]] bool is_code() const {
    return unwinder_.code_.is_text({cursor_.is_exact ? cursor_.ip.value : cursor_.ip.value - 1});
  }

  // The stack whose newest word is in front of `sp`: the first function on one may have left just
  // its end.
  [[nodiscard]] const Stack* find_stack(GuestVirtual sp) const {
    return unwinder_.stacks_.find({sp.value - 1});
  }

  [[nodiscard]] StackKind stack_of(GuestVirtual sp) const {
    const Stack* stack = find_stack(sp);
    return stack == nullptr ? StackKind::Task : stack->kind;
  }

  // Whether one more frame is left of those that all traces together may have.
  [[nodiscard]] bool may_add() const { return budgets_ == nullptr || budgets_->frames.take(); }
  // The same of words that are looked at.
  [[nodiscard]] bool may_look() const { return budgets_ == nullptr || budgets_->words.take(); }

  void add(FrameKind kind) {
    Frame frame;
    frame.address = cursor_.ip;
    frame.kind = kind;
    // Where a processor was needs no stack.
    frame.is_reliable = kind == FrameKind::Instruction || (!cursor_.is_unsure && !begins_unsure_);
    frame.stack = stack_of(cursor_.sp);
    frame.place = kind == FrameKind::Call ? unwinder_.code_.place_of_call(cursor_.ip)
                                          : unwinder_.code_.place(cursor_.ip);
    trace_.frames.push_back(std::move(frame));
    sp_of_last_frame_ = cursor_.sp;
  }

  // On one stack callers lie higher and higher; each stack is left but once.
  bool goes_on(const Cursor& before) {
    const Stack* old_stack = find_stack(before.sp);
    const Stack* new_stack = find_stack(cursor_.sp);
    if (old_stack == new_stack) {
      if (old_stack == nullptr && (leaves_interrupt(before.sp) || leaves_called_stack(before.ip))) {
        return true;
      }
      const bool is_near =
          new_stack != nullptr || cursor_.sp - before.sp < 2 * unwinder_.stack_size_;
      return cursor_.sp > before.sp && is_near;
    }
    return left_.insert(old_stack).second;
  }

  // Whether the trace goes from a stack for interrupts that is not known as one, as where the
  // kernel keeps no names of variables. At its top, which ends a page, the kernel notes what it
  // came from: the place on the stack that the interrupt met (arch/x86/include/asm/irq_stack.h;
  // before 5.8 arch/x86/entry/entry_64.S). Once in a trace.
  bool leaves_interrupt(GuestVirtual from) {
    constexpr std::uint64_t page = 4096;
    constexpr std::uint64_t top = 64 + word;      // that is left free, and the link
    constexpr std::uint64_t largest_frame = 512;  // of the function that switches stacks
    const std::uint64_t apart = std::max(from, cursor_.sp) - std::min(from, cursor_.sp);
    if (has_left_interrupt_ || apart < unwinder_.stack_size_ || from.value % page < page - top ||
        !unwinder_.chain_->links_interrupt_stacks() || unwinder_.stacks_.has(StackKind::Irq)) {
      return false;
    }
    const auto link = unwinder_.memory_.read_unsigned(from, word);
    const GuestVirtual frame{cursor_.sp.value - 2 * word};
    const bool is_link =
        link && *link % word == 0 && *link < frame.value && frame.value - *link < largest_frame;
    if (is_link) call_all_interrupt();
    return is_link;
  }

  // The same on arm64, where a function says by its name that it calls another on that stack
  // (arch/arm64/kernel/entry.S), and has its own frame on the one before. Once in a trace.
  bool leaves_called_stack(GuestVirtual return_address) {
    if (has_left_interrupt_ || unwinder_.stacks_.has(StackKind::Irq)) return false;
    const auto place = unwinder_.code_.place_of_call(return_address);
    const bool is_caller = place && place->symbol == "call_on_irq_stack";
    if (is_caller) call_all_interrupt();
    return is_caller;
  }

  void call_all_interrupt() {
    has_left_interrupt_ = true;
    for (Frame& each : trace_.frames) {
      if (each.stack == StackKind::Task) each.stack = StackKind::Irq;
    }
  }

  // Remembers where the first frame is from which on nothing vouches for the others.
  void note_doubt(const Cursor& before) {
    if (cursor_.is_unsure && !before.is_unsure) doubtful_ = before.ip;
  }

  // What was found by guessing is no whole trace, wherever it leads.
  Trace end_in_doubt() {
    trace_.end = TraceEnd::Broken;
    trace_.why = fmt::format(
        "nothing tells where the caller of the code at {} is: by frame pointers from there on",
        *doubtful_);
    return std::move(trace_);
  }

  Trace end_in_user_mode() {
    if (doubtful_) return end_in_doubt();
    trace_.end = TraceEnd::User;
    trace_.user_ip = cursor_.ip;
    return std::move(trace_);
  }

  Trace end() {
    if (doubtful_) return end_in_doubt();
    const bool is_thread = !trace_.frames.empty() && trace_.frames.back().place &&
                           trace_.frames.back().place->symbol.starts_with("ret_from_fork");
    trace_.end = is_thread ? TraceEnd::KernelThread : TraceEnd::Start;
    return std::move(trace_);
  }

  // Stacks begin with a return address that is null. Further down it is memory that is missing, or
  // that was written over: what was above it is not known.
  Trace end_at_null() {
    constexpr std::uint64_t most_above = 1024;  // a pt_regs and what is left free behind it
    if (end_of_stack(cursor_.sp) - cursor_.sp < most_above) return end();
    return fail(fmt::format("the return address in front of {} is 0", cursor_.sp));
  }

  [[nodiscard]] GuestVirtual end_of_stack(GuestVirtual sp) const {
    const Stack* stack = find_stack(sp);
    if (stack != nullptr) return stack->begin + stack->size;
    return {((sp.value - 1) | (unwinder_.stack_size_ - 1)) + 1};
  }

  Trace fail(std::string why) {
    trace_.end = TraceEnd::Broken;
    trace_.why = std::move(why);
    add_guesses();
    return std::move(trace_);
  }

  Trace cut() {
    trace_.end = TraceEnd::Broken;
    trace_.why = "the stacks of all tasks have more frames than those of any sound guest";
    return std::move(trace_);
  }

  // From where the last frame that was found is.
  void add_guesses() {
    const GuestVirtual end = end_of_stack(sp_of_last_frame_);
    for (GuestVirtual at = sp_of_last_frame_; at < end && may_look(); at = at + word) {
      const auto value = unwinder_.memory_.read_unsigned(at, word);
      if (!value) break;
      const auto address = unwinder_.chain_->return_address(*value);
      if (!address) continue;
      if (!may_add()) break;
      Frame frame;
      frame.address = *address;
      frame.is_reliable = false;
      frame.stack = stack_of(at);
      frame.place = unwinder_.code_.place_of_call(*address);
      trace_.frames.push_back(std::move(frame));
    }
  }

  const Unwinder& unwinder_;
  Cursor cursor_;
  bool begins_unsure_;
  TraceBudgets* budgets_;
  Trace trace_;
  GuestVirtual sp_of_last_frame_ = cursor_.sp;
  std::unordered_set<const Stack*> left_;
  bool has_left_interrupt_ = false;
  std::optional<GuestVirtual> doubtful_;
};

Unwinder::Unwinder(const GuestKernel& kernel, const CodeMap& code, const Stacks& stacks,
                   const OpenCallFrames& open_frames, Diagnostics& diagnostics)
    : Unwinder(kernel, code, stacks,
               stack_support_of(kernel).make_chain(kernel, code, open_frames, diagnostics)) {}

Unwinder::Unwinder(const GuestKernel& kernel, const CodeMap& code, const Stacks& stacks,
                   std::unique_ptr<const CallChain> chain)
    : memory_(kernel.memory()),
      code_(code),
      stacks_(stacks),
      chain_(std::move(chain)),
      stack_size_(kernel_stack_size_of(kernel.memory())) {}

Trace Unwinder::trace(const Task& task, TraceBudgets* budgets) const {
  // The stack goes before the task: one that is still there is whole.
  if ((task.state == 'Z' || task.state == 'X') && !task.stack) {
    Trace trace;
    trace.end = TraceEnd::Exited;
    return trace;
  }
  auto cursor = chain_->start(task);
  if (!cursor) {
    Trace trace;
    trace.why = task.saved_sp ? "no frame is saved where its stack ends"
                              : "where its stack ends is not known";
    return trace;
  }
  // One that has never run begins at a function, not behind a call.
  const auto place = code_.place(cursor->ip);
  cursor->is_exact = place && place->offset == 0;
  const FrameKind kind = cursor->is_exact ? FrameKind::Instruction : FrameKind::Call;
  return Walk(*this, *cursor, budgets).run(kind, cursor->ip.value != 0);
}

Trace Unwinder::trace(const Vcpu& vcpu) const {
  Trace trace;
  const auto cursor = chain_->start(vcpu);
  if (!cursor) {
    trace.why = "the checkpoint lacks its registers";
    return trace;
  }
  if (architecture_of(vcpu.machine).was_in_user_mode(vcpu).value_or(false)) {
    trace.end = TraceEnd::User;
    trace.user_ip = cursor->ip;
    return trace;
  }
  trace = Walk(*this, *cursor).run(FrameKind::Instruction, true);
  if (cursor->is_unsure) {
    trace.end = TraceEnd::Broken;
    trace.user_ip.reset();
    trace.why = "which of two registers is the stack pointer is not known";
  }
  return trace;
}

}  // namespace photon_dmesg
