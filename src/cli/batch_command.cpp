#include "cli/batch_command.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "batch/content_id.h"
#include "batch/result_folder.h"
#include "batch/shard.h"
#include "batch/ticket_names.h"
#include "batch/worker_pool.h"
#include "cli/batch_summary.h"
#include "cli/batch_tickets.h"
#include "cli/exit_status.h"
#include "cli/io/standard_streams.h"
#include "cli/io/ticket_progress.h"
#include "cli/output.h"
#include "cli/session_options.h"
#include "cli/ticket_run.h"
#include "session/session.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

constexpr const char* not_written = "its results could not be written";

// What a ticket's process ends with.
constexpr int ended_done = 0;
constexpr int ended_unwritten = 1;
constexpr int ended_unread = 2;  // what an earlier run had read is there still

// What all tickets share, and what becomes of each.
class Batch {
 public:
  Batch(const Options& options, BatchTickets found, Diagnostics& diagnostics)
      : options_(options),
        results_folder_(*options.output),
        tickets_(std::move(found.tickets)),
        kernels_(options),
        pool_(session::open_symbols(found.symbols, kernels_.use(options), diagnostics)),
        results_(tickets_.size()) {
    std::string ids;
    for (const fs::path& symbols : found.symbols) ids += symbols_id(symbols) + '\n';
    symbols_key_ = digest_of(ids);
  }

  // Returns the signal that has ended it before its end, if one has.
  std::optional<int> run() {
    WorkerPool workers({jobs(), options_.batch.memory});
    TicketProgress progress(tickets_.size(), is_quiet());
    const auto ended = [&](const WorkerPool::Ended& end) {
      discard_result(results_folder_, tickets_[end.work].name, end.process);
      if (end.was_asked) return;  // it counts as not begun
      const TicketResult& result = results_[end.work].emplace(result_of(end));
      const std::string failure = end.status == ended_unread && !result.warnings.empty()
                                      ? result.warnings.front()
                                      : result.error;
      progress.add(!failure.empty());
      say_failure(result.name, failure, progress);
    };
    const auto signal = workers.run(tickets_.size(), [&](std::size_t index) { return work(index); },
                                    {ended, [&](std::size_t running) { progress.show(running); }});
    return signal;
  }

  // Of the tickets that were done.
  [[nodiscard]] std::vector<TicketResult> results() const {
    std::vector<TicketResult> done;
    for (const auto& result : results_) {
      if (result) done.push_back(*result);
    }
    return done;
  }

 private:
  // Where kernels are kept that tickets share: for this run alone, if nothing is to be kept. The
  // first ticket that keeps one makes the folder: before, a signal would end this process at once
  // and leave it behind.
  class KeptKernels {
   public:
    explicit KeptKernels(const Options& options) {
      if (options.use_cache) return;
      std::random_device random;  // nobody is to make it first
      std::error_code error;
      const fs::path parent = fs::temp_directory_path(error);
      if (!error) folder_ = parent / fmt::format("photon-dmesg-{:08x}{:08x}", random(), random());
    }
    ~KeptKernels() {
      std::error_code ignored;
      if (!folder_.empty()) fs::remove_all(folder_, ignored);
    }
    KeptKernels(const KeptKernels&) = delete;
    KeptKernels& operator=(const KeptKernels&) = delete;

    [[nodiscard]] session::Options use(const Options& options) const {
      session::Options use = session_options(options);
      if (!folder_.empty()) use.cache_folder = folder_;
      return use;
    }

   private:
    fs::path folder_;  // empty: where they are kept for all runs, or there is no place for them
  };

  [[nodiscard]] bool is_quiet() const {
    return options_.verbosity == TerminalDiagnostics::Level::Quiet;
  }

  [[nodiscard]] std::size_t jobs() const {
    if (options_.batch.jobs > 0) return options_.batch.jobs;
    return std::max(std::thread::hardware_concurrency(), 1U);
  }

  [[nodiscard]] fs::path folder_of(const Ticket& ticket) const {
    return results_folder_ / ticket.name;
  }

  // In a process of its own, which ends with what is returned.
  [[nodiscard]] int work(std::size_t index) const {
    const Ticket& ticket = tickets_[index];
    try {
      const std::string key = key_of(options_, ticket, symbols_key_);
      if (options_.batch.resume && is_done(ticket, key)) return ended_done;
      const fs::path unfinished = begin_result(results_folder_, ticket.name);
      TicketResult result = run_ticket(options_, ticket, pool_, unfinished);
      result.key = key;
      const Finished finished = finish_result(unfinished, results_folder_, result);
      return finished == Finished::EarlierKept ? ended_unread : ended_done;
    } catch (const std::exception& error) {
      say(fmt::format("photon-dmesg: {}: {}\n", ticket.name, printable(error.what())));
      return ended_unwritten;
    }
  }

  // What failed is tried again: a disk that could not be read then may be readable now.
  [[nodiscard]] bool is_done(const Ticket& ticket, const std::string& key) const {
    const auto earlier = read_ticket_result(folder_of(ticket));
    return earlier && earlier->error.empty() && earlier->key == key &&
           is_whole(folder_of(ticket), *earlier);
  }

  [[nodiscard]] TicketResult result_of(const WorkerPool::Ended& end) const {
    const Ticket& ticket = tickets_[end.work];
    const bool is_written = !end.signal && (end.status == ended_done || end.status == ended_unread);
    const auto written = is_written ? read_ticket_result(folder_of(ticket)) : std::nullopt;
    if (written) return *written;
    TicketResult result;
    result.name = ticket.name;
    result.generator = program_version();
    if (!options_.redact) result.files = {ticket.shown()};
    result.status = exit_status(end.signal ? Failure::UnusableInput : Failure::Incomplete);
    result.error = end.signal ? fmt::format(
                                    "photon-dmesg was ended by signal {} ({}) while it "
                                    "read this",
                                    *end.signal, ::strsignal(*end.signal))
                              : not_written;
    return result;
  }

  void say_failure(const std::string& ticket, const std::string& failure,
                   TicketProgress& progress) const {
    if (failure.empty() || is_quiet()) return;
    progress.clear();
    say(fmt::format("photon-dmesg: {}: {}\n", ticket, printable(failure)));
  }

  const Options& options_;
  fs::path results_folder_;
  std::vector<Ticket> tickets_;
  KeptKernels kernels_;
  std::shared_ptr<SymbolPool> pool_;
  std::string symbols_key_;
  std::vector<std::optional<TicketResult>> results_;
};

// Ends this process as the signal would have.
[[noreturn]] void end_by(int signal) {
  ::raise(signal);
  std::_Exit(128 + signal);
}

// To whoever runs this again and again, status 1 says that the results are there.
template <typename Work>
auto with_results(const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.failure() != Failure::Incomplete) throw;
    throw unusable(error.what());
  }
}

// What became of a run. What it has kept for itself alone is gone by then.
struct Outcome {
  std::vector<TicketResult> results;
  std::optional<int> signal;  // that has ended it before its end
};

Outcome do_tickets(const Options& options, BatchTickets found, TerminalDiagnostics& diagnostics) {
  Batch batch(options, std::move(found), diagnostics);
  diagnostics.clear_progress();
  const std::optional<int> signal = batch.run();
  return {batch.results(), signal};
}

int report(const Options& options, BatchTickets found, TerminalDiagnostics& diagnostics) {
  const SummaryFiles summary = summary_files(options);
  check_results(*options.output, found.tickets);
  check_summary(summary);
  make_folder(*options.output);
  remove_abandoned(*options.output);
  const auto [results, signal] = do_tickets(options, std::move(found), diagnostics);
  write_summary(options, summary, results, diagnostics);
  if (signal) end_by(*signal);
  const bool all_written =
      std::none_of(results.begin(), results.end(),
                   [](const TicketResult& result) { return result.error == not_written; });
  if (!all_written) {
    throw unusable(
        fmt::format("{}: the results of some tickets could not be written: --resume "
                    "does these again",
                    options.output->string()));
  }
  return diagnostics.has_lack() ? exit_incomplete : status_of(results);
}

}  // namespace

int report_on_tickets(const Options& options, TerminalDiagnostics& diagnostics) {
  return with_results([&] {
    if (options.batch.gather) return gather_results(options, diagnostics);
    return report(options, find_batch_tickets(options, diagnostics), diagnostics);
  });
}

}  // namespace photon_dmesg
