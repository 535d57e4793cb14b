#include "cli/guest_triage.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/guest_facts.h"
#include "cli/options/options.h"
#include "kernel/printk/kernel_log.h"
#include "session/guest_facts.h"
#include "session/guest_tasks.h"
#include "session/session.h"
#include "triage/log/log_events.h"
#include "triage/log/log_findings.h"
#include "triage/log/text_log.h"

namespace photon_dmesg {
namespace {

// Takes a log's records, for what they tell and how far they go.
class LogJudge {
 public:
  // `log` must outlive this object.
  explicit LogJudge(TriageReport::Log& log) : log_(log) {}

  void add(const LogRecord& record) {
    events_.add(record);
    ++log_.records;
    if (!log_.first_seq) log_.first_seq = record.seq;
    log_.last_seq = record.seq;
    last_nsec_ = std::max(last_nsec_.value_or(0), record.ts_nsec);
  }

  [[nodiscard]] LogFacts finish() { return {findings_of(events_.finish()), last_nsec_}; }

 private:
  LogEvents events_;
  TriageReport::Log& log_;
  std::optional<std::uint64_t> last_nsec_;
};

// The guest's tasks; nothing, with a warning, if they can't be found: then the log alone tells.
std::optional<GuestTasks> find_tasks(const Guest& guest, Diagnostics& diagnostics) {
  try {
    return std::optional<GuestTasks>(std::in_place, guest, diagnostics);
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("the guest's tasks are not judged: {}", error.what()));
    return std::nullopt;
  }
}

LogFacts read_log(Guest& guest, TriageReport::Log& log, Diagnostics& diagnostics) {
  LogJudge judge(log);
  try {
    session::open_log(guest, diagnostics).read_records([&](const LogRecord& record) {
      judge.add(record);
      return true;
    });
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("the guest's log is not judged: {}", error.what()));
  }
  return judge.finish();
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

}  // namespace

TriageReport judge_guest(Guest& guest, Diagnostics& diagnostics) {
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
  return report;
}

TriageReport judge_text_log(std::istream& input) {
  TriageReport report;
  report.generator = program_version();
  LogJudge log(report.log);
  read_text_log(input, [&](const LogRecord& record) {
    log.add(record);
    return true;
  });
  LogFacts facts = log.finish();
  report.facts.log_only = true;
  report.facts.logged = std::move(facts.findings);
  report.facts.last_record_nsec = facts.last_record_nsec;
  report.verdict = judge(report.facts);
  report.read_from = {"the text of a log"};
  report.not_read = {"the guest's memory"};
  return report;
}

}  // namespace photon_dmesg
