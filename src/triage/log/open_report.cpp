#include "triage/log/open_report.h"

#include <algorithm>
#include <array>

#include "triage/log/event_heads.h"
#include "triage/log/faulty_function.h"
#include "triage/log/report_context.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

// How far an exception's several heads may stand apart, in lines of its caller.
constexpr unsigned longest_head = 24;
// No report is longer, but for what the kernel adds to it of all tasks and CPUs.
constexpr unsigned most_lines = 600;
constexpr std::uint64_t longest_pause = 60'000'000'000;  // nanoseconds, on a slow serial console
constexpr unsigned most_strangers = 4;

// What of a report's further sections ends its trace: their own traces are not where it happened.
bool begins_other_section(std::string_view line) {
  constexpr std::array sections = {
      "Allocated by ",     "Freed by ",   "The buggy address", "Memory state",
      "Showing all",       "Uninit was ", "Last potentially",  "Second to last",
      "Allocated:",        "Freed:",      "Object at ",        "Local variable",
      "Modules linked in", "Mem-Info:",   "Kernel Offset:",    "NMI backtrace"};
  return line.empty() ||
         std::any_of(sections.begin(), sections.end(),
                     [line](std::string_view text) { return line.starts_with(text); });
}

// Registers that stand within a trace where an exception interrupted the task.
bool is_register_line(std::string_view line) {
  constexpr std::array registers = {"RIP:",  "RSP:", "RAX:", "RDX:", "RBP:", "R10:",     "R13:",
                                    "Code:", "FS:",  "CS:",  "CR2:", "DR0:", "ORIG_RAX:"};
  return std::any_of(registers.begin(), registers.end(),
                     [line](std::string_view text) { return line.starts_with(text); });
}

}  // namespace

bool has_trace(FindingKind kind) {
  switch (kind) {
    case FindingKind::IoError:
    case FindingKind::ScsiAbort:
    case FindingKind::ReadOnlyFileSystem:
    case FindingKind::FileSystemError:
    case FindingKind::MachineCheck:
    case FindingKind::WorkqueueHog:
    case FindingKind::StarvedTasks:
    case FindingKind::ClockUnstable:
    case FindingKind::TimeJump:
    case FindingKind::LinkFlap:
    case FindingKind::Balloon:
    case FindingKind::Segfault:
    case FindingKind::FailedUnit:
      return false;
    default:
      return true;
  }
}

bool OpenReport::takes(const EventPattern& pattern) const {
  if (pattern.kind == FindingKind::Panic || event_.kind == FindingKind::Panic) return false;
  if (pattern.role == LineRole::Part && pattern.kind == event_.kind) return true;
  const bool is_head = state_ == TraceState::Before && lines_ <= longest_head;
  if (!is_head) return false;
  if (pattern.role == LineRole::Exception) {
    return role_ == LineRole::Exception || role_ == LineRole::Closer ||
           event_.kind == FindingKind::Oops || event_.kind == FindingKind::KernelBug ||
           event_.kind == FindingKind::DeviceStuck;
  }
  // Until 4.14 the words of WARN() stand behind its head.
  return pattern.role == LineRole::Closer &&
         (role_ == LineRole::Exception || pattern.kind == event_.kind);
}

void OpenReport::add_head(const PatternMatch& match, std::string_view line, LogPlace place) {
  event_.last = place;
  const bool is_closer = role_ == LineRole::Exception && match.pattern->role == LineRole::Closer;
  if (is_closer) role_ = LineRole::Closer;
  photon_dmesg::add_head(event_, match, line, is_closer);
  // The trace that follows is that of the thread that did not run, not of what kept it from that.
  if (event_.kind == FindingKind::RcuStall && event_.trace.empty())
    state_ = TraceState::OfRcuThread;
}

void OpenReport::begin_backtrace_of(std::uint32_t cpu) {
  const bool is_mine = event_.trace.empty() && (!event_.cpu || *event_.cpu == cpu);
  state_ = is_mine ? TraceState::Before : TraceState::OfAnother;
  lines_ = 0;
}

bool OpenReport::begins_trace(std::string_view& line) const {
  constexpr std::array heads = {"Call Trace:", "Call trace:", "Backtrace:", "backtrace:"};
  for (const std::string_view head : heads) {
    if (!line.starts_with(head)) continue;
    line = trimmed(line.substr(head.size()));
    return true;
  }
  // These print the trace without a head.
  const bool has_none = event_.headline.starts_with("BUG: KMSAN") ||
                        event_.headline.starts_with("BUG: KFENCE") ||
                        event_.headline.starts_with("BUG: KCSAN");
  return has_none && parse_trace_frame(line).has_value();
}

void OpenReport::add_trace_line(std::string_view line) {
  if (std::optional<std::string> stack = take_stack_mark(line)) {
    stack_ = std::move(*stack);
    if (line.empty()) return;
  }
  if (std::optional<TraceFrame> frame = parse_trace_frame(line)) {
    frame->stack = stack_;
    if (event_.trace.size() < LogEvent::most_frames) event_.trace.push_back(std::move(*frame));
    return;
  }
  if (event_.trace.empty() && line.empty()) return;  // "Call Trace:" itself
  if (is_register_line(line)) return;
  if (begins_other_section(line) || ++strangers_ > most_strangers) state_ = TraceState::Behind;
}

void OpenReport::add_line(std::string_view line, LogPlace place) {
  ++lines_;
  event_.last = place;
  if (line.starts_with("---[ end ")) {
    ended_ = true;
    return;
  }
  if (state_ == TraceState::OfAnother) return;
  if (state_ == TraceState::OfRcuThread) {
    // The registers of the CPU that stalls come next.
    if (!line.starts_with("CPU: ")) return;
    state_ = TraceState::Before;
  }
  add_context(event_, line);
  if (state_ == TraceState::Before && begins_trace(line)) state_ = TraceState::Within;
  if (state_ == TraceState::Within) add_trace_line(line);
}

bool OpenReport::is_over(LogPlace now) const {
  // The killer of tasks lists them all before it says which one it killed.
  const bool is_long = event_.kind == FindingKind::OutOfMemory;
  return ended_ || (lines_ > most_lines && !is_long) ||
         now.ts_nsec > event_.last.ts_nsec + longest_pause;
}

LogEvent OpenReport::take() {
  event_.function = faulty_function(event_);
  return std::move(event_);
}

}  // namespace photon_dmesg
