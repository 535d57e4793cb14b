#include "report/formats/trace_lines.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

std::string describe(const Frame& frame) {
  return frame.place ? printable(describe(*frame.place)) : fmt::format("{}", frame.address);
}

// "kernel/sched/core.c:6727".
std::string describe(const SourceLine& place) {
  return fmt::format("{}:{}", place.file.empty() ? "?" : printable(place.file),
                     place.line == 0 ? "?" : fmt::format("{}", place.line));
}

std::string inlined(const SourceLine& place) {
  return fmt::format("inlined: {} at ", printable(place.function));
}

// What the kernel prints around the part of a trace that is on each of these stacks.
std::string_view stack_label(StackKind kind) {
  switch (kind) {
    case StackKind::Irq:
      return "IRQ";
    case StackKind::Nmi:
      return "NMI";
    case StackKind::DoubleFault:
      return "#DF";
    case StackKind::Debug:
      return "#DB";
    case StackKind::MachineCheck:
      return "#MC";
    case StackKind::Virtualization:
      return "#VC";
    case StackKind::Overflow:
      return "OVERFLOW";
    case StackKind::Task:
    case StackKind::Unknown:
      break;
  }
  return "TASK";
}

void add(const Frame& frame, const LinesOfFrame& lines_of, std::vector<std::string>& lines) {
  std::string_view mark = frame.is_reliable ? "" : "? ";
  if (frame.kind == FrameKind::Interrupted) mark = "interrupted at ";
  lines.push_back(fmt::format(" {}{}", mark, describe(frame)));
  if (!lines_of) return;
  const std::vector<SourceLine> places = lines_of(frame);
  for (const SourceLine& inner : places) {
    const bool is_inlined = &inner != &places.back();
    lines.push_back(fmt::format("    {}{}", is_inlined ? inlined(inner) : "", describe(inner)));
  }
}

}  // namespace

std::vector<std::string> trace_lines(const Trace& trace, const LinesOfFrame& lines_of) {
  std::vector<std::string> lines;
  std::optional<StackKind> stack;
  for (const Frame& frame : trace.frames) {
    if (stack != frame.stack) {
      if (stack) lines.push_back(fmt::format("</{}>", stack_label(*stack)));
      lines.push_back(fmt::format("<{}>", stack_label(frame.stack)));
      stack = frame.stack;
    }
    add(frame, lines_of, lines);
  }
  if (stack) lines.push_back(fmt::format("</{}>", stack_label(*stack)));
  if (trace.user_ip) lines.push_back(fmt::format("user mode, at {}", *trace.user_ip));
  if (trace.end == TraceEnd::Exited) lines.emplace_back("it has exited: there is no stack");
  if (!trace.is_complete()) lines.push_back(fmt::format("incomplete: {}", printable(trace.why)));
  return lines;
}

}  // namespace photon_dmesg
