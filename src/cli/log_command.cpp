#include "cli/log_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "cli/exit_status.h"
#include "cli/guest_log.h"
#include "cli/guest_triage.h"
#include "cli/host_log_command.h"
#include "cli/io/pager.h"
#include "cli/io/standard_streams.h"
#include "cli/log_stream.h"
#include "cli/output.h"
#include "cli/session_options.h"
#include "report/redaction.h"
#include "session/bundle_tree.h"
#include "session/guest_groups.h"
#include "session/host_logs.h"
#include "session/session.h"

namespace photon_dmesg {
namespace {

// What is wrong with the guest, for a person who looks at its log: the log need not say so.
void say_verdict(const Options& options, Guest& guest, Redactor& redactor) {
  const bool is_watched = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  if (!is_watched || options.output || options.verbosity == TerminalDiagnostics::Level::Quiet) {
    return;
  }
  SilentDiagnostics silent;
  TriageReport report = judge_guest(guest, options.files, silent);
  if (report.verdict.findings.empty()) return;
  if (options.redact) redact(redactor, report);
  say(fmt::format("photon-dmesg: {} (see photon-dmesg triage)\n", printable(headline(report))));
}

Guest open_guest(const Options& options, const std::shared_ptr<BundleTree>& tree,
                 Diagnostics& diagnostics) {
  try {
    return session::open(options.files, {tree, nullptr}, session_options(options), diagnostics);
  } catch (const Error& error) {
    const bool may_ask_which = error.failure() == Failure::Usage;
    SilentDiagnostics silent;  // what is to be said of them has been
    if (may_ask_which && group_by_guest(options.files, *tree, silent).guests.size() > 1) {
      throw with_ways_to_read_all(error);
    }
    throw;
  }
}

}  // namespace

int print_log(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  const auto tree = std::make_shared<BundleTree>();
  if (are_host_logs(options.files, *tree, diagnostics)) {
    return print_host_log(options, *tree, redactor, diagnostics);
  }
  if (options.format->takes_several) {
    GuestGroups groups = group_by_guest(options.files, *tree, diagnostics);
    if (groups.guests.size() > 1) {
      return print_logs(options, std::move(groups), tree, redactor, diagnostics);
    }
  }
  Guest guest = open_guest(options, tree, diagnostics);
  GuestLog log(options, guest, false, redactor, diagnostics);
  diagnostics.release();
  diagnostics.clear_progress();
  std::optional<Pager> pager;
  if (options.use_pager) pager.emplace();
  write_output(options, [&](std::ostream& out) { log.write(out, diagnostics.warnings()); });
  pager.reset();  // what follows is said below it
  say_verdict(options, guest, redactor);
  return log.is_complete() && !diagnostics.has_lack() ? exit_complete : exit_incomplete;
}

}  // namespace photon_dmesg
