#include "cli/log_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "base/printable.h"
#include "checkpoint/vmware/host_log.h"
#include "cli/exit_status.h"
#include "cli/guest_facts.h"
#include "cli/guest_triage.h"
#include "cli/io/pager.h"
#include "cli/io/standard_streams.h"
#include "cli/log_extent.h"
#include "cli/output.h"
#include "cli/session_options.h"
#include "kernel/printk/kernel_log.h"
#include "report/record_filter.h"
#include "report/redacting_writer.h"
#include "report/redaction.h"
#include "report/time_format.h"
#include "report/time_spec.h"
#include "session/session.h"

namespace photon_dmesg {
namespace {

bool has_time(const Options& options, bool (*which)(TimeFormat)) {
  return std::any_of(options.style.times.begin(), options.style.times.end(), which);
}

bool asks_for_time_of_day(const Options& options) {
  return options.since || options.until || options.format->clock != ClockUse::None ||
         has_time(options, shows_time_of_day);
}

bool asks_for_clock(const Options& options) {
  return asks_for_time_of_day(options) || has_time(options, needs_clock);
}

// Whether what is printed lacks what was asked for: all times that need the clock, or right ones.
bool lacks_times(const Options& options, const std::optional<ClockHistory>& clock) {
  const bool selects = options.since || options.until;
  if (options.format->clock == ClockUse::Shown && !selects) return false;
  if (!clock) return asks_for_clock(options);
  return asks_for_time_of_day(options) && !clock->warnings().empty();
}

void note_clock(const ClockHistory& clock, Diagnostics& diagnostics) {
  const std::string where = "the guest's clock";
  diagnostics.found({.what = "boot", .value = utc_time(clock.time_of_day(0)), .where = where});
  diagnostics.found({.what = "stopped",
                     .value = utc_time(clock.clock().last_update_nsec),
                     .where = where,
                     .how = "it moved on then for the last time"});
}

// The guest's clock, where the report shows it.
std::optional<ClockHistory> read_clock(const Options& options, const GuestKernel& kernel,
                                       const KernelLogReader& log, Diagnostics& diagnostics) {
  if (!asks_for_clock(options)) return std::nullopt;
  std::optional<ClockHistory> clock = read_clock_history(kernel, &log, diagnostics);
  if (clock) {
    note_clock(*clock, diagnostics);
    if (!asks_for_time_of_day(options)) return clock;
    for (const std::string& warning : clock->warnings()) diagnostics.warn(warning);
    return clock;
  }
  if (options.format->clock == ClockUse::Needed) {
    throw unusable(fmt::format(
        "the guest's clock can't be read, and --format {} needs the time of day: use json",
        options.format->name));
  }
  diagnostics.warn("the guest's clock can't be read: all times are since boot");
  return clock;
}

ReportContext make_context(const Options& options, const Guest& guest, const KernelLogReader& log,
                           Diagnostics& diagnostics) {
  ReportContext context;
  context.guest = describe_guest(guest, diagnostics);
  context.guest.clock = read_clock(options, guest.kernel(), log, diagnostics);
  context.source = describe_source(guest);
  context.positions = log.positions();
  context.style = options.style;
  context.generator = program_version();
  return context;
}

// All but the log itself, from which the names of hosts are learnt.
void redact_context(const KernelLogReader& reader, ReportContext& context, Redactor& redactor) {
  redact(redactor, context.guest);
  reader.read_records([&](const LogRecord& record) {
    redactor.learn(record.text);
    return true;
  });
  redact(redactor, context.source);
}

std::unique_ptr<ReportWriter> make_writer(const Options& options, const ReportContext& context,
                                          Redactor& redactor, std::ostream& out) {
  std::unique_ptr<ReportWriter> writer = options.format->make(context, out);
  if (!options.redact) return writer;
  return std::make_unique<RedactingWriter>(std::move(writer), redactor);
}

// The point in time that an option names, in microseconds since 1970, UTC.
std::optional<std::int64_t> point_in_time(const char* option,
                                          const std::optional<std::string>& text,
                                          const std::optional<ClockHistory>& clock) {
  if (!text) return std::nullopt;
  if (!clock) {
    throw unusable(
        fmt::format("{}: the guest's clock can't be read: select with --from-seq", option));
  }
  const std::int64_t stopped = clock->clock().last_update_nsec;
  const std::optional<std::int64_t> time = parse_time(*text, whole_usec(stopped));
  if (!time) {
    throw Error(Failure::Usage, fmt::format("{} {}: not on the day on which the guest stopped, {}",
                                            option, *text, utc_time(stopped)));
  }
  return time;
}

std::uint64_t position(const std::optional<std::uint64_t>& known, const char* option) {
  if (!known) {
    throw unusable(fmt::format(
        "{}: the guest's position is not known from these symbols: give the release's ISO",
        option));
  }
  return *known;
}

// What the options select, as far as only the guest can tell. Throws Error(UnusableInput) when what
// they select by is not known.
Selection make_selection(const Options& options, const LogPositions& positions,
                         const std::optional<ClockHistory>& clock) {
  Selection selection = options.selection;
  const auto begin_at = [&](std::uint64_t seq) {
    selection.first_seq = std::max(selection.first_seq, seq);
  };
  if (options.since_clear) begin_at(position(positions.cleared, "--since-clear"));
  if (options.unprinted) begin_at(position(positions.console, "--unprinted"));
  if (options.cleared) selection.end_seq = position(positions.cleared, "--cleared");
  selection.clock = clock;
  selection.since_usec = point_in_time("--since", options.since, clock);
  selection.until_usec = point_in_time("--until", options.until, clock);
  return selection;
}

// Returns whether there was any.
bool write_unlogged(const Options& options, const KernelLog& log, const RecordFilter& filter,
                    ReportWriter& writer, Diagnostics& diagnostics) {
  std::size_t left_out = 0;
  bool any = false;
  for (const UnloggedText& text : log.unlogged) {
    if (!filter.accepts(text)) continue;
    any = true;
    if (options.format->shows_unlogged && !options.style.raw) {
      writer.write(text);
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) {
    diagnostics.warn(fmt::format(
        "{} texts that were not in the log yet have no place in this format: see them with "
        "--format text or json",
        left_out));
  }
  return any;
}

// Returns whether the log is complete.
bool write_log(const Options& options, const Guest& guest, const KernelLogReader& reader,
               const ReportContext& context, Redactor& redactor, std::ostream& out,
               TerminalDiagnostics& diagnostics) {
  const std::unique_ptr<ReportWriter> writer = make_writer(options, context, redactor, out);
  const Selection selection = make_selection(options, reader.positions(), context.guest.clock);
  RecordFilter filter(selection, *writer);
  LogExtent extent(context.guest.clock);
  const KernelLog log = reader.read([&](LogRecord record) {
    extent.add(record);
    return filter.add(std::move(record));
  });
  extent.check_gaps(guest.kernel(), reader);
  filter.finish();
  out.flush();  // what is said about the log comes behind it
  extent.note(diagnostics);
  extent.warn_of_overwritten(selection, diagnostics);
  const bool any_unlogged = write_unlogged(options, log, filter, *writer, diagnostics);
  if (filter.taken() == 0 && !any_unlogged) diagnostics.warn(extent.nothing_selected(selection));
  for (const std::string& loss : log.losses) {
    diagnostics.warn("the log is incomplete: " + loss);
  }
  const std::optional<std::string> behind_stop = extent.behind_stop();
  if (behind_stop) diagnostics.warn(*behind_stop);
  for (const std::string& doubt : log.doubts) {
    diagnostics.warn("part of the log can't be as the kernel wrote it: " + doubt);
  }
  guest.warn_of_unreadable(diagnostics);
  writer->finish(diagnostics.warnings());
  return log.losses.empty() && log.doubts.empty() && !extent.has_odd_time() && !extent.is_empty();
}

void redact_lines(std::vector<std::string>& lines, Redactor& redactor) {
  for (const std::string& line : lines) redactor.learn(line);
  redact(redactor, lines);
}

// What is wrong with the guest, for a person who looks at its log: the log need not say so.
void say_verdict(const Options& options, Guest& guest, Redactor& redactor) {
  const bool is_watched = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  if (!is_watched || options.output || options.verbosity == TerminalDiagnostics::Level::Quiet) {
    return;
  }
  SilentDiagnostics silent;
  TriageReport report = judge_guest(guest, silent);
  if (report.verdict.findings.empty()) return;
  if (options.redact) redact(redactor, report);
  say(fmt::format("photon-dmesg: {} (see photon-dmesg triage)\n", printable(headline(report))));
}

}  // namespace

std::optional<int> print_host_log(const Options& options, Redactor& redactor,
                                  Diagnostics& diagnostics) {
  std::error_code ignored;
  if (options.files.size() != 1 || options.format != &output_formats.front() ||
      !std::filesystem::is_regular_file(options.files.front(), ignored)) {
    return std::nullopt;
  }
  const InputFile file(options.files.front());
  if (!is_host_log(file)) return std::nullopt;
  std::vector<std::string> lines = lines_of_guest(file);
  if (lines.empty()) {
    throw unusable(fmt::format(
        "{}: this is the host's log of a VM (vmware.log), and the guest has sent nothing to it: "
        "give the checkpoint and its memory",
        file.name()));
  }
  diagnostics.warn(
      fmt::format("{}: this is the host's log of a VM (vmware.log): what the guest sent to it is "
                  "not all of the guest's log: give the checkpoint and its memory for that",
                  file.name()));
  if (options.redact) redact_lines(lines, redactor);
  write_output(options, [&](std::ostream& out) {
    for (const std::string& line : lines) out << printable(line) << '\n';
  });
  return exit_incomplete;
}

int print_log(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  if (const auto status = print_host_log(options, redactor, diagnostics)) return *status;
  Guest guest = session::open(options.files, session_options(options), diagnostics);
  return print_log_of(options, guest, redactor, diagnostics);
}

int print_log_of(const Options& options, Guest& guest, Redactor& redactor,
                 TerminalDiagnostics& diagnostics) {
  const KernelLogReader reader = session::open_log(guest, diagnostics);
  ReportContext context = make_context(options, guest, reader, diagnostics);
  if (options.redact) redact_context(reader, context, redactor);
  diagnostics.release();
  // What the options ask for must be known before anything is printed.
  (void)make_selection(options, reader.positions(), context.guest.clock);
  diagnostics.clear_progress();
  std::optional<Pager> pager;
  if (options.use_pager) pager.emplace();
  bool complete = true;
  write_output(options, [&](std::ostream& out) {
    complete = write_log(options, guest, reader, context, redactor, out, diagnostics);
  });
  pager.reset();  // what follows is said below it
  say_verdict(options, guest, redactor);
  const bool has_times = !lacks_times(options, context.guest.clock);
  return complete && has_times && !diagnostics.has_lack() ? exit_complete : exit_incomplete;
}

}  // namespace photon_dmesg
