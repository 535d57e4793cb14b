#pragma once

#include <filesystem>
#include <vector>

#include "batch/ticket_result.h"
#include "cli/io/terminal_diagnostics.h"
#include "cli/options/options.h"

namespace photon_dmesg {

// The files in the folder of results that list all of its tickets.
struct SummaryFiles {
  std::filesystem::path text;
  std::filesystem::path csv;
  std::filesystem::path lines;
};

// "summary.txt" and so on; of a shard "summary-2-of-8.txt", as others write to the same folder.
[[nodiscard]] SummaryFiles summary_files(const Options& options);

// Refuses to replace files that are no summaries. Throws Error(Usage).
void check_summary(const SummaryFiles& files);

// Writes them, and the text to stdout as well unless it is to be quiet, which is a lack if it can't
// be. Throws Error(Incomplete) for the files.
void write_summary(const Options& options, const SummaryFiles& files,
                   const std::vector<TicketResult>& results, Diagnostics& diagnostics);

// The exit status of a run that has these: that of an incomplete one unless each is complete.
[[nodiscard]] int status_of(const std::vector<TicketResult>& results);

// photon-dmesg batch --gather: one summary of several folders of results. A ticket that is in
// several of them is counted once. Returns the exit status. Throws Error(Usage) for a folder that
// has no results.
[[nodiscard]] int gather_results(const Options& options, TerminalDiagnostics& diagnostics);

}  // namespace photon_dmesg
