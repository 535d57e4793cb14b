#include "cli/triage_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/file_stream.h"
#include "cli/exit_status.h"
#include "cli/guest_triage.h"
#include "cli/host_lines.h"
#include "cli/log_text.h"
#include "cli/output.h"
#include "cli/private_names.h"
#include "cli/session_options.h"
#include "cli/triage_details.h"
#include "report/redaction.h"
#include "report/triage_report.h"
#include "session/host_logs.h"
#include "session/session.h"

namespace photon_dmesg {
namespace {

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
  if (options.report_format == "json") return write_triage_json;
  if (options.report_format == "ndjson") return write_triage_lines;
  if (options.report_format == "markdown") return write_triage_markdown;
  if (options.report_format == "html") return write_triage_html;
  return write_triage_text;
}

TriageReport read_guest(const Options& options, std::shared_ptr<BundleTree> tree,
                        Redactor& redactor, Diagnostics& diagnostics) {
  Guest guest = session::open(options.files, {std::move(tree), nullptr}, session_options(options),
                              diagnostics);
  TriageReport report = judge_guest(guest, options.files, diagnostics);
  add_details(options, guest, redactor, report, diagnostics);
  guest.warn_of_unreadable(diagnostics);
  return report;
}

TriageReport judge_log_text(const Options& options, const ByteSource& text, const std::string& name,
                            Redactor& redactor, Diagnostics& diagnostics) {
  FileStream stream(text);
  TriageReport report = judge_text_log(stream, name, diagnostics);
  add_details(options, text, redactor, report, diagnostics);
  return report;
}

TriageReport read_text_log(const Options& options, Redactor& redactor, Diagnostics& diagnostics) {
  if (options.files.size() != 1) {
    throw Error(Failure::Usage, "--log: expected one file, the text of a log");
  }
  const auto text = open_log_text(options.files.front(), diagnostics);
  return judge_log_text(options, *text, "the text of a log", redactor, diagnostics);
}

TriageReport read_report(const Options& options, Redactor& redactor, Diagnostics& diagnostics) {
  if (options.triage.log_only) return read_text_log(options, redactor, diagnostics);
  const auto tree = std::make_shared<BundleTree>();
  if (are_host_logs(options.files, *tree, diagnostics)) {
    return judge_host_logs(options, *tree, redactor, diagnostics);
  }
  return read_guest(options, tree, redactor, diagnostics);
}

}  // namespace

TriageReport judge_host_logs(const Options& options, BundleTree& tree, Redactor& redactor,
                             Diagnostics& diagnostics) {
  const std::vector<HostLine> lines =
      read_lone_host_lines(options.files, WantedLines::OfKernel, tree, diagnostics);
  const std::vector<HostDump> dumps = dumps_of(lines);
  const HostDump& last = dumps.back();
  diagnostics.found({.what = "the guest's kernel sent its log to the host",
                     .value = fmt::format("{} times", dumps.size()),
                     .how = fmt::format("the last time is judged, which ended at {} by the host's "
                                        "clock",
                                        lines[last.end - 1].host_time)});
  std::string text;
  for (std::size_t i = last.begin; i < last.end; ++i) text += raw_line(lines[i]) + '\n';
  const BufferSource source(options.files.front().string(), std::as_bytes(std::span(text)));
  return judge_log_text(options, source, what_guest_sent, redactor, diagnostics);
}

int print_triage(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  TriageReport report = read_report(options, redactor, diagnostics);
  note_evidence(report.verdict.findings, diagnostics);
  if (options.redact) warn_of_missed_names(redactor, diagnostics);
  report.warnings = diagnostics.warnings();
  if (options.redact) redact(redactor, report);
  diagnostics.release();
  diagnostics.clear_progress();
  const WriteReport write = writer_of(options);
  write_output(options, [&](std::ostream& out) { write(report, out); });
  if (is_wanted(options.triage, report.verdict)) return exit_found;
  return diagnostics.has_lack() ? exit_incomplete : exit_complete;
}

}  // namespace photon_dmesg
