#include "cli/batch_summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/output_file.h"
#include "batch/shard.h"
#include "batch/summary.h"
#include "cli/batch_tickets.h"
#include "cli/exit_status.h"
#include "cli/io/standard_streams.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// Whether a file that is to be replaced begins as a summary does.
bool is_summary(const fs::path& path) {
  constexpr std::size_t looked_at = 64;
  std::string begin(looked_at, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), looked_at);
  begin.resize(static_cast<std::size_t>(file.gcount()));
  const std::size_t behind_number = begin.find_first_not_of("0123456789");
  return begin.empty() || begin.starts_with(Summary::csv_begin) ||
         begin.starts_with(Summary::line_begin) ||
         (behind_number != 0 && behind_number != std::string::npos &&
          std::string_view(begin).substr(behind_number).starts_with(" ticket"));
}

using Write = void (Summary::*)(std::ostream& out) const;

std::string text_of(const Summary& summary, Write write) {
  std::ostringstream out;
  (summary.*write)(out);
  return std::move(out).str();
}

void write_text_file(const fs::path& path, const std::string& text) {
  write_file(path, Access::Public, std::as_bytes(std::span(text)));
}

// Why there may be a result in `folder` that can't be read; nothing if there is none in it.
std::optional<std::string> why_not_read(const fs::path& folder) {
  const fs::path file = folder / ticket_file;
  std::error_code error;
  const fs::file_type type = fs::status(file, error).type();
  if (type == fs::file_type::not_found) return std::nullopt;
  if (type == fs::file_type::none) return fmt::format("{}: {}", file.string(), error.message());
  return fmt::format("{}: it can't be read, or is not of photon-dmesg batch", file.string());
}

// The results that lie in `folder`, each ticket's in a folder of its own.
std::vector<TicketResult> read_results(const fs::path& folder, Diagnostics& diagnostics) {
  std::vector<TicketResult> results;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) continue;
    if (auto result = read_ticket_result(entry->path())) {
      results.push_back(std::move(*result));
    } else if (const auto reason = why_not_read(entry->path())) {
      diagnostics.warn_of_lack(fmt::format("a result is not counted: {}", *reason));
    }
  }
  if (error) {
    throw Error(Failure::Usage, fmt::format("{}: expected a folder of results: {}", folder.string(),
                                            error.message()));
  }
  return results;
}

// What the tickets of the list are called.
std::set<std::string> names_in_list(const Options& options, Diagnostics& diagnostics) {
  Options listed = options;
  listed.files.clear();
  std::set<std::string> names;
  for (Ticket& ticket : find_batch_tickets(listed, diagnostics).tickets) {
    names.insert(std::move(ticket.name));
  }
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t most_named = 20;
  const std::span<const std::string> named(names.data(), std::min(names.size(), most_named));
  return fmt::format("{}{}", fmt::join(named, ", "), names.size() > most_named ? "..." : "");
}

void warn_of_missing(const std::vector<std::string>& missing, Diagnostics& diagnostics) {
  if (missing.empty()) return;
  diagnostics.warn_of_lack(fmt::format("{} ticket{} of the list {} no result: {}", missing.size(),
                                       missing.size() == 1 ? "" : "s",
                                       missing.size() == 1 ? "has" : "have", joined(missing)));
}

void warn_of_others(const std::vector<std::string>& others, Diagnostics& diagnostics) {
  if (others.empty()) return;
  diagnostics.warn(fmt::format("{} result{} of no ticket of the list {} not counted: {}",
                               others.size(), others.size() == 1 ? "" : "s",
                               others.size() == 1 ? "is" : "are", joined(others)));
}

// Leaves of `results` those of tickets of the list. Says which of these have none, and which
// results are of others: a ticket may have had another name while the list was shorter.
void keep_listed(const std::set<std::string>& listed, std::vector<TicketResult>& results,
                 Diagnostics& diagnostics) {
  std::set<std::string> done;
  for (const TicketResult& result : results) done.insert(result.name);
  std::vector<std::string> missing;
  std::set_difference(listed.begin(), listed.end(), done.begin(), done.end(),
                      std::back_inserter(missing));
  std::vector<std::string> others;
  std::set_difference(done.begin(), done.end(), listed.begin(), listed.end(),
                      std::back_inserter(others));
  std::erase_if(results, [&](const TicketResult& result) { return !listed.contains(result.name); });
  warn_of_missing(missing, diagnostics);
  warn_of_others(others, diagnostics);
}

// Whether a run has read the ticket, and none after it has failed to (see finish_result()).
bool is_done(const TicketResult& result) {
  return result.error.empty() && !result.key.empty();
}

// Leaves out what became of tickets that another run has done.
void leave_out_redone(std::vector<TicketResult>& results) {
  using Ticket = std::pair<std::string, std::vector<std::string>>;
  std::set<Ticket> done;
  for (const TicketResult& result : results) {
    if (is_done(result)) done.emplace(result.name, result.files);
  }
  std::erase_if(results, [&](const TicketResult& result) {
    return !is_done(result) && done.contains(Ticket(result.name, result.files));
  });
}

}  // namespace

SummaryFiles summary_files(const Options& options) {
  std::string stem = "summary";
  if (!options.batch.shard.empty()) {
    const Shard shard = parse_shard(options.batch.shard);
    stem += fmt::format("-{}-of-{}", shard.number, shard.count);
  }
  const fs::path& folder = *options.output;
  return {folder / (stem + ".txt"), folder / (stem + ".csv"), folder / (stem + ".ndjson")};
}

void check_summary(const SummaryFiles& files) {
  for (const fs::path& path : {files.text, files.csv, files.lines}) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored)) || is_summary(path)) continue;
    throw Error(Failure::Usage, fmt::format("{}: expected a summary of photon-dmesg batch or "
                                            "nothing, found something else: name another folder "
                                            "with -o",
                                            path.string()));
  }
}

void write_summary(const Options& options, const SummaryFiles& files,
                   const std::vector<TicketResult>& results, Diagnostics& diagnostics) {
  const Summary summary(results);
  const std::string text = text_of(summary, &Summary::write_text);
  write_text_file(files.text, text);
  write_text_file(files.csv, text_of(summary, &Summary::write_csv));
  write_text_file(files.lines, text_of(summary, &Summary::write_lines));
  if (options.verbosity == TerminalDiagnostics::Level::Quiet) return;
  try {
    print(text);
  } catch (const Error& error) {
    diagnostics.warn_of_lack(error.what());  // all that was done is in the files
  }
}

int status_of(const std::vector<TicketResult>& results) {
  const bool all_complete =
      std::all_of(results.begin(), results.end(),
                  [](const TicketResult& result) { return result.status == exit_complete; });
  return all_complete ? exit_complete : exit_incomplete;
}

int gather_results(const Options& options, TerminalDiagnostics& diagnostics) {
  const SummaryFiles files = summary_files(options);
  check_summary(files);
  std::vector<TicketResult> results;
  std::set<std::tuple<std::string, std::string, std::vector<std::string>>> seen;
  for (const fs::path& folder : options.files) {
    std::vector<TicketResult> found = read_results(folder, diagnostics);
    if (found.empty()) {
      diagnostics.warn_of_lack(fmt::format("{}: no results are in it", folder.string()));
    }
    for (TicketResult& result : found) {
      if (seen.emplace(result.name, result.key, result.files).second)
        results.push_back(std::move(result));
    }
  }
  leave_out_redone(results);
  if (options.batch.list) keep_listed(names_in_list(options, diagnostics), results, diagnostics);
  std::error_code error;
  fs::create_directories(*options.output, error);
  write_summary(options, files, results, diagnostics);
  return diagnostics.has_lack() ? exit_incomplete : status_of(results);
}

}  // namespace photon_dmesg
