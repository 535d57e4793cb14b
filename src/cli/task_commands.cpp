#include "cli/task_commands.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "cli/exit_status.h"
#include "cli/guest_facts.h"
#include "cli/output.h"
#include "cli/private_names.h"
#include "cli/session_options.h"
#include "report/redaction.h"
#include "report/task_report.h"
#include "report/task_rows.h"
#include "session/guest_lines.h"
#include "session/guest_tasks.h"
#include "session/session.h"

namespace photon_dmesg {
namespace {

template <typename Value>
bool has(const std::vector<Value>& values, const Value& wanted) {
  return std::find(values.begin(), values.end(), wanted) != values.end();
}

bool is_called(const Task& task, const std::string& pattern) {
  return ::fnmatch(pattern.c_str(), task.comm.c_str(), 0) == 0;
}

bool is_selected(const TaskOptions& options, const Task& task) {
  const bool is_named =
      std::any_of(options.comms.begin(), options.comms.end(),
                  [&](const std::string& pattern) { return is_called(task, pattern); });
  return (!options.blocked || task.state == 'D') &&
         (options.pids.empty() || has(options.pids, task.pid) || has(options.pids, task.tgid)) &&
         (options.comms.empty() || is_named) &&
         (options.cpus.empty() || (task.cpu && has(options.cpus, *task.cpu)));
}

void select_tasks(const TaskOptions& options, const GuestTasks& guest, TaskReport& report,
                  Diagnostics& diagnostics) {
  for (const Task& task : guest.tasks().all()) {
    if (is_selected(options, task)) report.tasks.emplace_back().task = task;
  }
  for (const std::int32_t pid : options.pids) {
    const bool is_there =
        std::any_of(guest.tasks().all().begin(), guest.tasks().all().end(),
                    [&](const Task& task) { return task.pid == pid || task.tgid == pid; });
    if (!is_there) diagnostics.warn_of_lack(fmt::format("the guest has no task {}", pid));
  }
  for (const std::string& pattern : options.comms) {
    const bool is_there = std::any_of(guest.tasks().all().begin(), guest.tasks().all().end(),
                                      [&](const Task& task) { return is_called(task, pattern); });
    if (!is_there) {
      diagnostics.warn_of_lack(fmt::format("the guest has no task called {}", pattern));
    }
  }
}

void warn_of_absent_cpus(const TaskOptions& options, const GuestTasks& guest,
                         Diagnostics& diagnostics) {
  if (options.cpus.empty()) return;
  std::vector<std::uint32_t> known;
  for (const Cpu& cpu : guest.cpus().all()) known.push_back(cpu.number);
  for (const VcpuActivity& vcpu : guest.vcpus()) known.push_back(vcpu.cpu.value_or(vcpu.vcpu));
  for (const std::uint32_t number : options.cpus) {
    if (has(known, number)) continue;
    diagnostics.warn_of_lack(fmt::format("the guest has no CPU {}", number));
  }
}

void select_vcpus(const TaskOptions& options, const GuestTasks& guest, TaskReport& report) {
  for (VcpuActivity& vcpu : guest.vcpus()) {
    if (!options.cpus.empty() && !has(options.cpus, vcpu.cpu.value_or(vcpu.vcpu))) continue;
    report.vcpus.push_back(std::move(vcpu));
  }
}

// A circle of tasks may go through some that are not shown.
void find_waits(const GuestTasks& guest, bool with_traces, TaskReport& report) {
  if (report.tasks.empty()) return;
  std::map<std::uint64_t, TaskActivity> activities;
  for (TaskActivity& activity : guest.activities()) {
    const std::uint64_t address = activity.task.address.value;
    activities.emplace(address, std::move(activity));
  }
  for (TaskReport::Row& row : report.tasks) {
    TaskActivity& activity = activities.at(row.task.address.value);
    row.waiting = std::move(activity.waiting);
    if (with_traces) row.trace = std::move(activity.trace);
  }
}

// Says what is missing of the traces, in one line whatever their number.
void check_traces(const TaskReport& report, Diagnostics& diagnostics) {
  std::size_t count = 0;
  std::string first;
  const auto check = [&](const Trace& trace, const std::string& whose) {
    if (trace.is_complete()) return;
    if (count++ == 0) first = fmt::format("{}: {}", whose, trace.why);
  };
  for (const VcpuActivity& cpu : report.vcpus) {
    check(cpu.trace, fmt::format("vCPU {}", cpu.vcpu));
  }
  for (const TaskReport::Row& row : report.tasks) {
    if (row.trace) check(*row.trace, name_and_pid(row.task));
  }
  if (count == 0) return;
  diagnostics.warn_of_lack(
      fmt::format("{} {}: {}", count,
                  count == 1 ? "trace ends early" : "traces end early, the first of them", first));
}

// Of the kernel's image alone: a module's debug information is in a file of its own.
void add_lines(const Guest& guest, TaskReport& report, Diagnostics& diagnostics) {
  std::set<GuestVirtual> addresses;
  const auto collect = [&](const Trace& trace) {
    for (const Frame& frame : trace.frames) {
      if (frame.place && frame.place->module.empty()) addresses.insert(frame.instruction());
    }
  };
  for (const VcpuActivity& cpu : report.vcpus) collect(cpu.trace);
  for (const TaskReport::Row& row : report.tasks) {
    if (row.trace) collect(*row.trace);
  }
  report.lines = find_lines(guest, addresses, diagnostics);
}

TaskReport describe(const Options& options, const Guest& guest, const GuestTasks& tasks,
                    Diagnostics& diagnostics) {
  TaskReport report;
  report.guest = describe_guest(guest, diagnostics);
  // To look for the clock takes time, and only this shows it.
  if (options.report_format == "json") {
    report.guest.clock = read_clock_history(guest.kernel(), nullptr, diagnostics);
  }
  report.source = describe_source(guest);
  report.now_nsec = tasks.cpus().now_nsec();
  return report;
}

// That a name or a number is mistaken is easily taken for a quiet guest.
void warn_of_nothing(const TaskReport& report, Diagnostics& diagnostics) {
  if (report.vcpus.empty() && report.tasks.empty()) {
    diagnostics.warn("nothing is printed: no task is selected");
  }
}

using WriteReport = void (*)(const TaskReport& report, std::ostream& out);

int finish(const Options& options, const Guest& guest, TaskReport& report, WriteReport write,
           Redactor& redactor, TerminalDiagnostics& diagnostics) {
  guest.warn_of_unreadable(diagnostics);
  warn_of_nothing(report, diagnostics);
  if (options.redact) {
    learn_hosts(guest, redactor);
    warn_of_missed_names(redactor, diagnostics);
  }
  report.warnings = diagnostics.warnings();
  if (options.redact) redact(redactor, report);
  diagnostics.release();
  diagnostics.clear_progress();
  write_output(options, [&](std::ostream& out) { write(report, out); });
  return diagnostics.has_lack() ? exit_incomplete : exit_complete;
}

}  // namespace

int print_traces(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  const Guest guest = session::open(options.files, session_options(options), diagnostics);
  const GuestTasks tasks(guest, diagnostics);
  TaskReport report = describe(options, guest, tasks, diagnostics);
  const TaskOptions& wanted = options.tasks;
  warn_of_absent_cpus(wanted, tasks, diagnostics);
  if (!wanted.selects()) select_vcpus(wanted, tasks, report);
  if (wanted.all || wanted.selects()) select_tasks(wanted, tasks, report, diagnostics);
  find_waits(tasks, true, report);
  check_traces(report, diagnostics);
  if (wanted.lines) add_lines(guest, report, diagnostics);
  WriteReport write = write_traces_text;
  if (options.report_format == "json") write = write_traces_json;
  if (options.report_format == "ndjson") write = write_task_lines;
  if (wanted.fold && write == write_traces_text) fold_same_traces(report);
  return finish(options, guest, report, write, redactor, diagnostics);
}

int print_tasks(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  const Guest guest = session::open(options.files, session_options(options), diagnostics);
  const GuestTasks tasks(guest, diagnostics);
  TaskReport report = describe(options, guest, tasks, diagnostics);
  warn_of_absent_cpus(options.tasks, tasks, diagnostics);
  select_tasks(options.tasks, tasks, report, diagnostics);
  find_waits(tasks, false, report);
  sort_rows(report, options.tasks.sort);
  if (options.tasks.tree) make_tree(report);
  WriteReport write = write_tasks_text;
  if (options.report_format == "json") write = write_tasks_json;
  if (options.report_format == "ndjson") write = write_task_lines;
  return finish(options, guest, report, write, redactor, diagnostics);
}

}  // namespace photon_dmesg
