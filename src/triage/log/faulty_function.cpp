#include "triage/log/faulty_function.h"

#include <algorithm>
#include <string_view>

#include "triage/log/reporting_functions.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

// The first frame that matters, of those that are sure if there are any.
const TraceFrame* first_that_matters(const LogEvent& event) {
  for (const bool reliable : {true, false}) {
    for (const TraceFrame& frame : event.trace) {
      if (frame.reliable == reliable && matters(frame.symbol, event.kind)) return &frame;
    }
  }
  return nullptr;
}

bool is_where_it_was(FindingKind kind) {
  switch (kind) {
    case FindingKind::Oops:
    case FindingKind::SoftLockup:
    case FindingKind::HardLockup:
    case FindingKind::RcuStall:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string faulty_function(const LogEvent& event) {
  if (!event.function.empty() && matters(event.function, event.kind)) return event.function;
  const std::string_view rip = until(event.rip, "+");
  if (is_where_it_was(event.kind) && !rip.empty() && matters(rip, event.kind))
    return std::string(rip);
  const TraceFrame* frame = first_that_matters(event);
  if (frame != nullptr) return frame->symbol;
  return std::string(rip.empty() ? std::string_view(event.function) : rip);
}

std::string describe_cause(const LogEvent& event) {
  constexpr int most_callers = 3;
  if (event.function.empty()) return {};
  const auto is_function = [&](const TraceFrame& frame) { return frame.symbol == event.function; };
  auto at = std::find_if(event.trace.begin(), event.trace.end(), is_function);
  std::string cause = event.function;
  if (until(event.rip, "+") == event.function) {
    cause = event.rip;
  } else if (at != event.trace.end()) {
    cause = describe(*at);
  }
  // The trace may begin with its caller, where the instruction is told apart from it.
  at = at == event.trace.end() ? event.trace.begin() : std::next(at);
  int callers = 0;
  for (; at != event.trace.end() && callers < most_callers; ++at) {
    if (!at->reliable || !matters(at->symbol, event.kind) || at->symbol == event.function) continue;
    cause += " < " + at->symbol;
    ++callers;
  }
  return cause;
}

}  // namespace photon_dmesg
