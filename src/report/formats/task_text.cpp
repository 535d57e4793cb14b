#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/printable.h"
#include "report/formats/trace_lines.h"
#include "report/task_report.h"

namespace photon_dmesg {
namespace {

// Damaged tasks may be each other's parents without end.
constexpr unsigned deepest_indent = 100;

std::string seconds(std::uint64_t nsec) {
  return fmt::format("{:.3f} s", static_cast<double>(nsec) / 1e9);
}

void write(const TaskReport& report, const Trace& trace, std::ostream& out) {
  const LinesOfFrame of_frame = [&](const Frame& frame) { return lines_of(report, frame); };
  for (const std::string& line : trace_lines(trace, of_frame)) out << "  " << line << '\n';
}

void write(const TaskReport& report, const VcpuActivity& cpu, std::ostream& out) {
  std::string text = fmt::format("vCPU {}", cpu.vcpu);
  if (cpu.cpu && *cpu.cpu != cpu.vcpu) text += fmt::format(" (the kernel's CPU {})", *cpu.cpu);
  text += cpu.task ? fmt::format(": {}", printable(name_and_pid(*cpu.task))) : ": task unknown";
  if (cpu.has_registers) text += cpu.in_user_mode ? ", in user mode" : ", in the kernel";
  out << text << '\n';
  if (cpu.spins_on) {
    out << fmt::format("  spins on {} ({})\n", printable(describe(*cpu.spins_on)),
                       describe_word(*cpu.spins_on));
  }
  write(report, cpu.trace, out);
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
  write(report, *row.trace, out);
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
