#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "report/task_report.h"

namespace photon_dmesg {
namespace {

// Damaged tasks may be each other's parents without end.
constexpr unsigned deepest_indent = 100;

std::string seconds(std::uint64_t nsec) {
  return fmt::format("{:.3f} s", static_cast<double>(nsec) / 1e9);
}

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
    case StackKind::Task:
    case StackKind::Unknown:
      break;
  }
  return "TASK";
}

class TraceWriter {
 public:
  TraceWriter(const TaskReport& report, std::ostream& out) : report_(report), out_(out) {}

  void write(const Trace& trace) {
    std::optional<StackKind> stack;
    for (const Frame& frame : trace.frames) {
      if (stack != frame.stack) {
        if (stack) line(fmt::format("</{}>", stack_label(*stack)));
        line(fmt::format("<{}>", stack_label(frame.stack)));
        stack = frame.stack;
      }
      write(frame);
    }
    if (stack) line(fmt::format("</{}>", stack_label(*stack)));
    if (trace.user_ip) line(fmt::format("user mode, at {}", *trace.user_ip));
    if (trace.end == TraceEnd::Exited) line("it has exited: there is no stack");
    if (!trace.is_complete()) line(fmt::format("incomplete: {}", printable(trace.why)));
  }

 private:
  void line(std::string_view text) { out_ << "  " << text << '\n'; }

  void write(const Frame& frame) {
    std::string_view mark = frame.is_reliable ? "" : "? ";
    if (frame.kind == FrameKind::Interrupted) mark = "interrupted at ";
    line(fmt::format(" {}{}", mark, describe(frame)));
    const std::vector<SourceLine> lines = lines_of(report_, frame);
    for (const SourceLine& inner : lines) {
      const bool is_inlined = &inner != &lines.back();
      line(fmt::format("    {}{}", is_inlined ? inlined(inner) : "", describe(inner)));
    }
  }

  const TaskReport& report_;
  std::ostream& out_;
};

void write(const TaskReport& report, const VcpuActivity& cpu, std::ostream& out) {
  std::string text = fmt::format("vCPU {}", cpu.vcpu);
  if (cpu.cpu && *cpu.cpu != cpu.vcpu) text += fmt::format(" (the kernel's CPU {})", *cpu.cpu);
  text += cpu.task ? fmt::format(": {}", printable(name_and_pid(*cpu.task))) : ": task unknown";
  text += cpu.in_user_mode ? ", in user mode" : ", in the kernel";
  out << text << '\n';
  TraceWriter(report, out).write(cpu.trace);
}

std::string since_it_ran(const TaskReport& report, const Task& task) {
  const auto since = nsec_since_it_ran(report, task);
  return since ? seconds(*since) : "-";
}

void write(const TaskReport& report, const TaskReport::Row& row, std::ostream& out) {
  const Task& task = row.task;
  out << fmt::format("{} {}", printable(name_and_pid(task)), task.state);
  if (task.cpu) out << fmt::format(", {}CPU {}", task.on_cpu ? "on " : "", *task.cpu);
  if (const auto since = nsec_since_it_ran(report, task)) {
    out << (task.on_cpu ? ", on it for " : ", last ran ") << seconds(*since)
        << (task.on_cpu ? "" : " ago");
  }
  out << '\n';
  if (row.waiting) out << "  waits for " << printable(describe(*row.waiting)) << '\n';
  if (!row.folded.empty()) {
    out << fmt::format("  and {} more with this trace:", row.folded.size());
    for (const Task& other : row.folded) out << ' ' << printable(name_and_pid(other));
    out << '\n';
  }
  TraceWriter(report, out).write(*row.trace);
}

}  // namespace

void write_traces_text(const TaskReport& report, std::ostream& out) {
  bool is_first = true;
  const auto separate = [&] {
    if (!is_first) out << '\n';
    is_first = false;
  };
  for (const VcpuActivity& cpu : report.vcpus) {
    separate();
    write(report, cpu, out);
  }
  for (const TaskReport::Row& row : report.tasks) {
    separate();
    write(report, row, out);
  }
}

void write_tasks_text(const TaskReport& report, std::ostream& out) {
  out << fmt::format("{:>7} {:>7} {:>7} S {:>4} {:>13}  {}\n", "PID", "TGID", "PPID", "CPU",
                     "SINCE IT RAN", "COMMAND");
  const auto number = [](const auto& value) { return value ? fmt::format("{}", *value) : "-"; };
  for (const TaskReport::Row& row : report.tasks) {
    const Task& task = row.task;
    const std::string indent(std::size_t{2} * std::min(row.depth, deepest_indent), ' ');
    const std::string comm = printable(task.comm);
    out << fmt::format("{:>7} {:>7} {:>7} {} {:>4} {:>13}  {}{}{}\n", task.pid, task.tgid,
                       number(task.ppid), task.state, number(task.cpu),
                       task.on_cpu ? "running" : since_it_ran(report, task), indent,
                       task.kernel_thread.value_or(false) ? fmt::format("[{}]", comm) : comm,
                       row.waiting ? "  waits for " + printable(describe(*row.waiting)) : "");
  }
}

}  // namespace photon_dmesg
