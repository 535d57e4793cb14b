#include "cli/guest_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "cli/guest_facts.h"
#include "cli/host_lines.h"
#include "cli/log_extent.h"
#include "cli/private_names.h"
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

// Whether what is printed is incomplete without a time: not where readers are told that there is
// none, unless records were selected by it.
bool needs_all_times(const Options& options) {
  return options.format->clock != ClockUse::Shown || options.since || options.until;
}

// Whether what is printed lacks what was asked for: all times that need the clock, or right ones.
bool lacks_times(const Options& options, const std::optional<ClockHistory>& clock) {
  if (!needs_all_times(options)) return false;
  if (!clock) return asks_for_clock(options);
  return asks_for_time_of_day(options) && !clock->warnings().empty();
}

void note_clock(const ClockHistory& clock, Diagnostics& diagnostics) {
  const std::string where = "the guest's clock";
  diagnostics.found({.what = "boot", .value = utc_time(clock.boot()), .where = where});
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

// Of text: other formats have no raw form.
bool is_raw(const Options& options) {
  return options.style.raw && options.format == output_formats.data();
}

// Says how many of what is no record have no place in the format.
void warn_of_no_place(const Options& options, std::size_t count, std::string_view what,
                      Diagnostics& diagnostics) {
  if (count == 0) return;
  const char* const place = is_raw(options) ? "with --raw: see them without it"
                                            : "in this format: see them with --format text or json";
  diagnostics.warn(fmt::format("{} {} no place {}", count, what, place));
}

bool shows_behind(const Options& options) {
  return options.format->shows_unlogged && !is_raw(options);
}

// Returns whether there was any.
bool write_unlogged(const Options& options, const KernelLog& log, const RecordFilter& filter,
                    ReportWriter& writer, Diagnostics& diagnostics) {
  std::size_t left_out = 0;
  bool any = false;
  for (const UnloggedText& text : log.unlogged) {
    if (!filter.accepts(text)) continue;
    any = true;
    if (shows_behind(options)) {
      writer.write(text);
    } else {
      ++left_out;
    }
  }
  warn_of_no_place(options, left_out, "texts that were not in the log yet have", diagnostics);
  return any;
}

// The same of what the guest sent to its host.
bool write_host_lines(const Options& options, const HostTestimony& testimony,
                      const RecordFilter& filter, ReportWriter& writer, Diagnostics& diagnostics) {
  std::size_t left_out = 0;
  bool any = false;
  for (const HostLine& line : testimony.missing()) {
    if (!filter.accepts(line)) continue;
    any = true;
    if (shows_behind(options)) {
      writer.write(line);
    } else {
      ++left_out;
    }
  }
  warn_of_no_place(options, left_out, "lines that the guest sent to its host have", diagnostics);
  return any;
}

}  // namespace

std::unique_ptr<ReportWriter> make_writer(const Options& options, const ReportContext& context,
                                          Redactor& redactor, std::ostream& out) {
  std::unique_ptr<ReportWriter> writer = options.format->make(context, out);
  if (!options.redact) return writer;
  return std::make_unique<RedactingWriter>(std::move(writer), redactor);
}

GuestLog::GuestLog(const Options& options, Guest& guest, bool is_one_of_several, Redactor& redactor,
                   Diagnostics& diagnostics)
    : options_(options),
      guest_(guest),
      redactor_(redactor),
      diagnostics_(diagnostics),
      reader_(session::open_log(guest, diagnostics)),
      host_(read_host_lines(options.files, guest, diagnostics)),
      context_(make_context(options, guest, reader_, diagnostics)) {
  context_.is_one_of_several = is_one_of_several;
  if (options.redact) {
    redact(redactor, context_.guest);
    if (!is_one_of_several) learn_names();
    redact(redactor, context_.source);
  }
  // What the options ask for must be known before anything is printed.
  (void)make_selection(options, reader_.positions(), context_.guest.clock);
}

// Of several guests the names of all are known before.
void GuestLog::learn_names() {
  learn_hosts(guest_, redactor_);
  for (const HostLine& line : host_.lines()) redactor_.learn(line.text);
  warn_of_missed_names(redactor_, diagnostics_);
}

void GuestLog::write(std::ostream& out, const std::vector<std::string>& warnings) {
  // Who stops reading has had all that was wanted: then this is not gone through to its end.
  is_complete_ = !lacks_times(options_, context_.guest.clock);
  const std::unique_ptr<ReportWriter> writer = make_writer(options_, context_, redactor_, out);
  const Selection selection = make_selection(options_, reader_.positions(), context_.guest.clock);
  RecordFilter filter(selection, *writer);
  LogExtent extent(context_.guest.clock);
  const KernelLog log = reader_.read([&](LogRecord record) {
    extent.add(record);
    host_.add(record);
    return filter.add(std::move(record));
  });
  extent.check_gaps(guest_.kernel(), reader_);
  filter.finish();
  out.flush();  // what is said about the log comes behind it
  extent.note(diagnostics_);
  extent.warn_of_overwritten(selection, diagnostics_);
  const bool any_behind = write_behind(log, filter, *writer);
  if (filter.taken() == 0 && !any_behind) diagnostics_.warn(extent.nothing_selected(selection));
  for (const std::string& loss : log.losses) {
    diagnostics_.warn("the log is incomplete: " + loss);
  }
  const std::optional<std::string> behind_stop = extent.behind_stop();
  if (behind_stop) diagnostics_.warn(*behind_stop);
  const std::optional<std::string> timeless =
      asks_for_time_of_day(options_) ? extent.timeless() : std::nullopt;
  if (timeless) diagnostics_.warn(*timeless);
  const std::vector<std::string> cut = writer->losses();
  for (const std::string& loss : cut) diagnostics_.warn(loss);
  for (const std::string& doubt : log.doubts) {
    diagnostics_.warn("part of the log can't be as the kernel wrote it: " + doubt);
  }
  guest_.warn_of_unreadable(diagnostics_);
  writer->finish(warnings);
  const bool lacks_any = timeless && needs_all_times(options_);
  is_complete_ = is_complete_ && !lacks_any && cut.empty() && log.losses.empty() &&
                 log.doubts.empty() && !extent.has_odd_time() && !extent.is_empty();
}

// What is no record. Returns whether there was any.
bool GuestLog::write_behind(const KernelLog& log, const RecordFilter& filter,
                            ReportWriter& writer) {
  const bool any_unlogged = write_unlogged(options_, log, filter, writer, diagnostics_);
  if (host_.empty() || !filter.reaches_end()) return any_unlogged;
  std::optional<ClockHistory> clock = context_.guest.clock;
  if (!clock) {  // the format does not show it
    SilentDiagnostics silent;
    clock = read_clock_history(guest_.kernel(), &reader_, silent);
  }
  const HostTestimony testimony = host_.finish(clock);
  tell(testimony, diagnostics_);
  return write_host_lines(options_, testimony, filter, writer, diagnostics_) || any_unlogged;
}

}  // namespace photon_dmesg
