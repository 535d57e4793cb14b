#include "cli/log_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/exit_status.h"
#include "cli/guest_facts.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "cli/session_options.h"
#include "kernel/printk/kernel_log.h"
#include "report/record_filter.h"
#include "report/time_format.h"
#include "report/time_spec.h"
#include "session/session.h"

namespace photon_dmesg {
namespace {

bool asks_for_clock(const Options& options) {
  const std::vector<TimeFormat>& times = options.style.times;
  return options.since || options.until || options.format->clock != ClockUse::None ||
         std::any_of(times.begin(), times.end(), [](TimeFormat time) { return needs_clock(time); });
}

// Whether what is printed without the guest's clock lacks times that were asked for.
bool expects_clock(const Options& options) {
  return options.format->clock != ClockUse::Shown && asks_for_clock(options);
}

// The guest's clock, where the report shows it.
std::optional<GuestClock> read_clock(const Options& options, const GuestKernel& kernel,
                                     Diagnostics& diagnostics) {
  if (!asks_for_clock(options)) return std::nullopt;
  std::optional<GuestClock> clock = read_guest_clock(kernel, diagnostics);
  if (clock) {
    const std::string where = "the guest's clock";
    diagnostics.found(
        {.what = "boot", .value = utc_time(clock->realtime_offset_nsec), .where = where});
    diagnostics.found({.what = "stopped",
                       .value = utc_time(clock->last_update_nsec),
                       .where = where,
                       .how = "it moved on then for the last time"});
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

ReportContext make_context(const Options& options, const Guest& guest, Diagnostics& diagnostics) {
  ReportContext context;
  context.guest = describe_guest(guest, diagnostics);
  context.guest.clock = read_clock(options, guest.kernel(), diagnostics);
  context.source = describe_source(guest);
  context.style = options.style;
  context.generator = program_version();
  return context;
}

// The point in time that an option names, in microseconds since the guest's boot.
std::optional<std::int64_t> since_boot(const char* option, const std::optional<std::string>& text,
                                       const std::optional<GuestClock>& clock) {
  if (!text) return std::nullopt;
  if (!clock) {
    throw unusable(
        fmt::format("{}: the guest's clock can't be read: select with --from-seq", option));
  }
  constexpr std::int64_t nsec_per_usec = 1000;
  const std::int64_t stopped = clock->last_update_nsec / nsec_per_usec;
  const std::int64_t boot = clock->realtime_offset_nsec / nsec_per_usec;
  const std::optional<std::int64_t> time = parse_time(*text, stopped);
  if (!time) {
    throw Error(Failure::Usage, fmt::format("{} {}: not on the day on which the guest stopped, {}",
                                            option, *text, utc_time(clock->last_update_nsec)));
  }
  return *time - boot;
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
                         const std::optional<GuestClock>& clock) {
  Selection selection = options.selection;
  const auto begin_at = [&](std::uint64_t seq) {
    selection.first_seq = std::max(selection.first_seq, seq);
  };
  if (options.since_clear) begin_at(position(positions.cleared, "--since-clear"));
  if (options.unprinted) begin_at(position(positions.console, "--unprinted"));
  if (options.cleared) selection.end_seq = position(positions.cleared, "--cleared");
  selection.since_usec = since_boot("--since", options.since, clock);
  selection.until_usec = since_boot("--until", options.until, clock);
  return selection;
}

// Which records there were, for those who ask how a value was found.
class Extent {
 public:
  void add(const LogRecord& record) {
    if (!first_) first_ = record.seq;
    last_ = record.seq;
  }

  void note(Diagnostics& diagnostics) const {
    Evidence extent{.what = "no records", .where = "the log"};
    if (first_) {
      extent.what = "records";
      extent.value = fmt::format("{} to {}", *first_, last_);
      if (*first_ > 0) {
        extent.how = fmt::format("the kernel has overwritten the {} before them", *first_);
      }
    }
    diagnostics.found(std::move(extent));
  }

 private:
  std::optional<std::uint64_t> first_;
  std::uint64_t last_ = 0;
};

void write_unlogged(const Options& options, const KernelLog& log, const RecordFilter& filter,
                    ReportWriter& writer, Diagnostics& diagnostics) {
  std::size_t left_out = 0;
  for (const UnloggedText& text : log.unlogged) {
    if (!filter.accepts(text)) continue;
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
}

// Returns whether the log is complete.
bool write_log(const Options& options, const KernelLogReader& reader, const ReportContext& context,
               std::ostream& out, TerminalDiagnostics& diagnostics) {
  const std::unique_ptr<ReportWriter> writer = options.format->make(context, out);
  RecordFilter filter(make_selection(options, reader.positions(), context.guest.clock), *writer);
  Extent extent;
  const KernelLog log = reader.read([&](LogRecord record) {
    extent.add(record);
    return filter.add(std::move(record));
  });
  filter.finish();
  out.flush();  // what is said about the log comes behind it
  extent.note(diagnostics);
  write_unlogged(options, log, filter, *writer, diagnostics);
  for (const std::string& loss : log.losses) {
    diagnostics.warn("the log is incomplete: " + loss);
  }
  writer->finish(diagnostics.warnings());
  return log.losses.empty();
}

}  // namespace

int print_log(const Options& options, TerminalDiagnostics& diagnostics) {
  Guest guest = session::open(options.files, session_options(options), diagnostics);
  const KernelLogReader reader = session::open_log(guest, diagnostics);
  ReportContext context = make_context(options, guest, diagnostics);
  context.positions = reader.positions();
  // What the options ask for must be known before anything is printed.
  (void)make_selection(options, reader.positions(), context.guest.clock);
  diagnostics.clear_progress();
  std::optional<Pager> pager;
  if (options.use_pager) pager.emplace();
  bool complete = true;
  write_output(options, [&](std::ostream& out) {
    complete = write_log(options, reader, context, out, diagnostics);
  });
  const bool has_times = context.guest.clock || !expects_clock(options);
  return complete && has_times && !diagnostics.has_lack() ? exit_complete : exit_incomplete;
}

}  // namespace photon_dmesg
