#include "cli/host_log_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/exit_status.h"
#include "cli/guest_log.h"
#include "cli/host_lines.h"
#include "cli/io/pager.h"
#include "cli/output.h"
#include "cli/private_names.h"
#include "report/record_filter.h"
#include "report/time_format.h"
#include "report/time_spec.h"

namespace photon_dmesg {
namespace {

// Gets lines as records, as a filter selects them, and hands them on as what they are.
class LineWriter final : public ReportWriter {
 public:
  LineWriter(const std::vector<HostLine>& lines, ReportWriter& writer)
      : lines_(lines), writer_(writer) {}

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    writer_.write(lines_.at(record.seq));
  }
  void leave_gap() override { writer_.leave_gap(); }

 private:
  const std::vector<HostLine>& lines_;
  ReportWriter& writer_;
};

void check_format(const Options& options) {
  if (options.format->shows_unlogged) return;
  std::vector<std::string_view> names;
  for (const OutputFormat& format : output_formats) {
    if (format.shows_unlogged) names.push_back(format.name);
  }
  throw Error(Failure::Usage,
              fmt::format("--format {}: has no place for what a guest sent to its host: expected "
                          "one of {}",
                          options.format->name, fmt::join(names, ", ")));
}

void check_selection(const Options& options) {
  const Selection& selection = options.selection;
  const bool by_number =
      selection.first_seq != 0 || selection.end_seq != std::numeric_limits<std::uint64_t>::max();
  if (!by_number && !options.since_clear && !options.cleared && !options.unprinted) return;
  throw Error(Failure::Usage,
              "--from-seq, --since-clear, --cleared and --unprinted: the host's log does "
              "not tell which records of the guest's log its lines were");
}

// The point in time that an option names, as the host counts.
std::optional<std::int64_t> point_in_time(const char* option,
                                          const std::optional<std::string>& text,
                                          const std::vector<HostLine>& lines) {
  if (!text) return std::nullopt;
  const std::optional<std::int64_t>& last = lines.back().host_nsec;
  const std::optional<std::int64_t> time =
      last ? parse_time(*text, whole_usec(*last)) : std::nullopt;
  if (!time) {
    throw Error(Failure::Usage,
                fmt::format("{} {}: the host's log does not tell when that was", option, *text));
  }
  return time;
}

// Leaves those that came between the times that the options name, by the host's clock.
void select_by_time(const Options& options, std::vector<HostLine>& lines) {
  const auto since = point_in_time("--since", options.since, lines);
  const auto until = point_in_time("--until", options.until, lines);
  std::erase_if(lines, [&](const HostLine& line) {
    if (!since && !until) return false;
    const std::int64_t time = line.host_nsec ? whole_usec(*line.host_nsec) : 0;
    return !line.host_nsec || (since && time <= *since) || (until && time >= *until);
  });
}

void write_lines(const Options& options, const std::vector<HostLine>& lines, Redactor& redactor,
                 std::ostream& out, TerminalDiagnostics& diagnostics) {
  ReportContext context;
  context.style = options.style;
  context.generator = program_version();
  context.knows_guest = false;
  const std::unique_ptr<ReportWriter> writer = make_writer(options, context, redactor, out);
  LineWriter line_writer(lines, *writer);
  RecordFilter filter(options.selection, line_writer);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!filter.add(record_of(lines[i], i))) break;
  }
  filter.finish();
  out.flush();
  if (filter.taken() == 0) {
    diagnostics.warn("nothing of what the guest sent to its host is selected");
  }
  writer->finish(diagnostics.warnings());
}

}  // namespace

int print_host_log(const Options& options, BundleTree& tree, Redactor& redactor,
                   TerminalDiagnostics& diagnostics) {
  check_format(options);
  check_selection(options);
  std::vector<HostLine> lines =
      read_lone_host_lines(options.files, WantedLines::All, tree, diagnostics);
  if (options.redact) {
    for (const HostLine& line : lines) redactor.learn(line.text);
    warn_of_missed_names(redactor, diagnostics);
  }
  select_by_time(options, lines);
  diagnostics.clear_progress();
  std::optional<Pager> pager;
  if (options.use_pager) pager.emplace();
  write_output(options,
               [&](std::ostream& out) { write_lines(options, lines, redactor, out, diagnostics); });
  return exit_incomplete;
}

}  // namespace photon_dmesg
