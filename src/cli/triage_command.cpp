#include "cli/triage_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/exit_status.h"
#include "cli/guest_facts.h"
#include "cli/output.h"
#include "cli/session_options.h"
#include "kernel/printk/kernel_log.h"
#include "report/triage_report.h"
#include "session/guest_facts.h"
#include "session/guest_tasks.h"
#include "session/session.h"

namespace photon_dmesg {
namespace {

// The guest's tasks; nothing, with a warning, if they can't be found: then the log alone tells.
std::optional<GuestTasks> find_tasks(const Guest& guest, Diagnostics& diagnostics) {
  try {
    return std::optional<GuestTasks>(std::in_place, guest, diagnostics);
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("the guest's tasks are not judged: {}", error.what()));
    return std::nullopt;
  }
}

// Reads the log once: for what it tells, and how far it goes.
LogFacts read_log(Guest& guest, TriageReport::Log& log, Diagnostics& diagnostics) {
  LogFacts facts;
  try {
    const KernelLogReader reader = session::open_log(guest, diagnostics);
    reader.read_records([&](const LogRecord& record) {
      ++log.records;
      if (!log.first_seq) log.first_seq = record.seq;
      log.last_seq = record.seq;
      facts.last_record_nsec = record.ts_nsec;
      return true;
    });
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("the guest's log is not judged: {}", error.what()));
  }
  return facts;
}

std::optional<std::uint64_t> monotonic(const GuestInfo& guest) {
  if (!guest.clock || guest.clock->clock().monotonic_nsec() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(guest.clock->clock().monotonic_nsec());
}

std::vector<std::string> sources_of(const Guest& guest, const GuestTasks* tasks) {
  std::vector<std::string> sources = {describe(guest.symbols().provenance)};
  if (tasks == nullptr) return sources;
  for (const auto& source : tasks->types().sources()) {
    const bool is_new = std::find(sources.begin(), sources.end(), source->name()) == sources.end();
    if (is_new) sources.push_back(source->name());
  }
  return sources;
}

// For -v: where each thing that was judged by stands.
void note_evidence(const std::vector<Finding>& findings, Diagnostics& diagnostics) {
  for (const Finding& finding : findings) {
    for (const Witness& witness : finding.evidence) {
      if (!witness.address) continue;
      diagnostics.found({.what = witness.what,
                         .value = witness.value,
                         .where = fmt::format("{}", *witness.address),
                         .how = fmt::format("it speaks for: {}", title_of(finding.kind))});
    }
    note_evidence(finding.consequences, diagnostics);
  }
}

bool is_wanted(const TriageOptions& options, const Verdict& verdict) {
  return std::any_of(verdict.findings.begin(), verdict.findings.end(), [&](const Finding& finding) {
    return std::ranges::find(options.fail_on, finding.kind) != options.fail_on.end();
  });
}

using WriteReport = void (*)(const TriageReport& report, std::ostream& out);

WriteReport writer_of(const Options& options) {
  if (options.json || options.triage.format == "json") return write_triage_json;
  if (options.triage.format == "ndjson") return write_triage_lines;
  return write_triage_text;
}

TriageReport judge_guest(const Options& options, Diagnostics& diagnostics) {
  Guest guest = session::open(options.files, session_options(options), diagnostics);
  TriageReport report;
  report.generator = program_version();
  LogFacts log = read_log(guest, report.log, diagnostics);
  const std::optional<GuestTasks> tasks = find_tasks(guest, diagnostics);
  const GuestTasks* known = tasks ? &*tasks : nullptr;
  report.guest = describe_guest(guest, diagnostics);
  report.guest->clock = read_clock_history(guest.kernel(), nullptr, diagnostics);
  report.source = describe_source(guest);
  report.facts =
      read_guest_facts(guest, known, monotonic(*report.guest), std::move(log), diagnostics);
  report.verdict = judge(report.facts);
  for (const Module& module : tasks ? tasks->code().modules() : std::vector<Module>()) {
    report.modules.push_back(module.name);
  }
  report.read_from = sources_of(guest, known);
  report.not_read = missing_facts(report.facts);
  guest.warn_of_unreadable(diagnostics);
  return report;
}

}  // namespace

int print_triage(const Options& options, TerminalDiagnostics& diagnostics) {
  TriageReport report = judge_guest(options, diagnostics);
  note_evidence(report.verdict.findings, diagnostics);
  report.warnings = diagnostics.warnings();
  diagnostics.clear_progress();
  const WriteReport write = writer_of(options);
  write_output(options, [&](std::ostream& out) { write(report, out); });
  if (is_wanted(options.triage, report.verdict)) return exit_found;
  return diagnostics.has_lack() ? exit_incomplete : exit_complete;
}

}  // namespace photon_dmesg
