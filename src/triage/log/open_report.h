#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "triage/log/event_patterns.h"
#include "triage/log/log_event.h"

namespace photon_dmesg {

// A report of many lines, as long as lines come that belong to it.
class OpenReport {
 public:
  OpenReport(LogEvent event, LineRole role) : event_(std::move(event)), role_(role) {}

  [[nodiscard]] const LogEvent& event() const { return event_; }

  // Whether a line that `match` fits goes on with this report instead of beginning one.
  [[nodiscard]] bool takes(const EventPattern& pattern) const;

  // Adds such a line.
  void add_head(const PatternMatch& match, std::string_view line, LogPlace place);

  // Adds any other line.
  void add_line(std::string_view line, LogPlace place);

  // What comes is the trace of CPU `cpu`, which another CPU asked for: it is this report's if
  // that is the CPU which the report is about.
  void begin_backtrace_of(std::uint32_t cpu);

  // Whether its last line has come, or must have.
  [[nodiscard]] bool is_over(LogPlace now) const;

  // Ends it.
  [[nodiscard]] LogEvent take();

 private:
  enum class TraceState { Before, Within, Behind, OfAnother, OfRcuThread };

  void add_trace_line(std::string_view line);
  [[nodiscard]] bool begins_trace(std::string_view& line) const;

  LogEvent event_;
  LineRole role_;
  TraceState state_ = TraceState::Before;
  std::string stack_;       // of the trace's lines that come next
  unsigned lines_ = 0;      // since it began
  unsigned strangers_ = 0;  // lines within the trace that are none of it
  bool ended_ = false;
};

// Whether the kernel prints more than a line or two of this kind of thing, among it a trace.
[[nodiscard]] bool has_trace(FindingKind kind);

}  // namespace photon_dmesg
