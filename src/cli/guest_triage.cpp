#include "cli/guest_triage.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/guest_facts.h"
#include "cli/host_lines.h"
#include "cli/options/options.h"
#include "kernel/printk/kernel_log.h"
#include "report/host_findings.h"
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
  LogJudge(TriageReport::Log& log, LogSource source) : events_(source), log_(log) {}

  void add(const LogRecord& record) {
    events_.add(record);
    ++log_.records;
    if (!log_.first_seq) log_.first_seq = record.seq;
    log_.last_seq = record.seq;
    log_.last_text = record.text;
    last_nsec_ = latest_in_turn(record.ts_nsec);
  }

  // What it tells, the last boot at the front. Nothing can be added afterwards.
  [[nodiscard]] std::vector<BootFindings> finish() { return findings_by_boot(events_.finish()); }
  [[nodiscard]] std::optional<std::uint64_t> last_nsec() const { return last_nsec_; }

 private:
  // A record that is much earlier than the one before it shows that one of the two times is
  // damaged: the later records tell which.
  [[nodiscard]] std::uint64_t latest_in_turn(std::uint64_t nsec) const {
    constexpr std::uint64_t turn_nsec = 60'000'000'000;
    const std::uint64_t latest = last_nsec_.value_or(0);
    return latest > nsec + turn_nsec ? nsec : std::max(latest, nsec);
  }

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

void read_log(Guest& guest, LogJudge& judge, HostEvidence& host, ClockSigns& signs,
              Diagnostics& diagnostics) {
  try {
    session::open_log(guest, diagnostics).read_records([&](const LogRecord& record) {
      judge.add(record);
      host.add(record);
      signs.add(record);
      return true;
    });
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("the guest's log is not judged: {}", error.what()));
  }
}

KnownTimes known_times(const std::optional<ClockHistory>& clock, const LogJudge& log) {
  const auto positive = [](std::int64_t nsec) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(nsec, 0));
  };
  KnownTimes times;
  times.last_record_nsec = log.last_nsec();
  if (!clock) return times;
  times.last_update_nsec = positive(clock->printk_at_stop());
  times.monotonic = [&clock, positive](std::uint64_t nsec) {
    return positive(clock->monotonic(nsec));
  };
  return times;
}

// Adds to what the log in memory tells what it lacks of panics and oopses. Returns whether the host
// had anything of this boot.
bool add_host_findings(const HostEvidence& host, const std::optional<ClockHistory>& clock,
                       std::vector<Finding>& logged, Diagnostics& diagnostics) {
  const HostTestimony testimony = host.finish(clock);
  tell(testimony, diagnostics);
  for (Finding& finding : findings_of(testimony)) logged.push_back(std::move(finding));
  return !testimony.lines.empty();
}

// Of a log that has none.
void forget_times(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    finding.since_nsec.reset();
    for (Witness& witness : finding.evidence) witness.nsec.reset();
    for (Witness& witness : finding.against) witness.nsec.reset();
    for (AffectedTask& task : finding.tasks) task.since_nsec.reset();
    forget_times(finding.consequences);
  }
}

// Adds behind what is known of the guest what its log tells of earlier boots, each judged by
// itself: it is over, whatever it was.
void add_earlier(const std::vector<BootFindings>& boots, Verdict& verdict) {
  for (std::size_t i = 1; i < boots.size(); ++i) {
    const std::uint64_t later = boots[i].boots_ago;
    GuestFacts facts;
    facts.logged = boots[i].findings;
    for (Finding& finding : judge(facts).findings) {
      finding.notes.push_back(fmt::format("it was in an earlier boot: the log has {} later {}",
                                          later, later == 1 ? "one" : "ones"));
      verdict.findings.push_back(std::move(finding));
    }
  }
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

TriageReport judge_guest(Guest& guest, const std::vector<std::filesystem::path>& files,
                         Diagnostics& diagnostics) {
  TriageReport report;
  report.generator = program_version();
  LogJudge log(report.log, LogSource::Memory);
  HostEvidence host = read_host_lines(files, guest, diagnostics);
  ClockSigns signs;
  read_log(guest, log, host, signs, diagnostics);
  const std::optional<GuestTasks> tasks = find_tasks(guest, diagnostics);
  const GuestTasks* known = tasks ? &*tasks : nullptr;
  report.guest = describe_guest(guest, diagnostics);
  report.guest->clock = read_clock_history(guest.kernel(), signs, diagnostics);
  report.source = describe_source(guest);
  std::vector<BootFindings> boots = log.finish();
  std::vector<Finding>& logged = boots.front().findings;
  const bool has_host = add_host_findings(host, report.guest->clock, logged, diagnostics);
  report.facts = read_guest_facts(guest, known, known_times(report.guest->clock, log),
                                  std::move(logged), diagnostics);
  report.verdict = judge(report.facts);
  add_earlier(boots, report.verdict);
  for (const Module& module : tasks ? tasks->code().modules() : std::vector<Module>()) {
    report.modules.push_back(module.name);
  }
  report.read_from = sources_of(guest, known);
  if (has_host) report.read_from.emplace_back(what_guest_sent);
  report.not_read = missing_facts(report.facts);
  return report;
}

TriageReport judge_text_log(ByteStream& input, const std::string& name, Diagnostics& diagnostics) {
  TriageReport report;
  report.generator = program_version();
  LogJudge log(report.log, LogSource::Print);
  const TextLogSigns signs = read_text_log(input, [&](const LogRecord& record) {
    log.add(record);
    return true;
  });
  std::vector<BootFindings> boots = log.finish();
  if (signs.has_times) report.facts.last_record_nsec = log.last_nsec();
  for (BootFindings& boot : boots) {
    if (!signs.has_times) forget_times(boot.findings);
  }
  report.facts.logged = boots.front().findings;
  report.verdict = judge(report.facts);
  add_earlier(boots, report.verdict);
  if (!signs.is_of_kernel && report.verdict.findings.empty()) {
    diagnostics.warn_of_lack(
        fmt::format("{}: no line of it has what those of a kernel's log have, so that finding "
                    "nothing means nothing: give what dmesg printed",
                    input.name()));
  }
  report.read_from = {name};
  report.not_read = {"the guest's memory"};
  return report;
}

}  // namespace photon_dmesg
