#include "report/triage_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

using Event = Timeline::Event;
using Kind = Timeline::Kind;

// More can't be told apart in a picture.
constexpr std::size_t most_events = 40;

void add_records(const std::vector<Witness>& witnesses, std::vector<Event>& events) {
  for (const Witness& witness : witnesses) {
    if (!witness.record || !witness.nsec) continue;
    events.push_back(
        {*witness.nsec, Kind::Record, fmt::format("record {}: {}", *witness.record, witness.what)});
  }
}

void add_findings(const std::vector<Finding>& findings, Kind kind, std::vector<Event>& events) {
  for (const Finding& finding : findings) {
    if (finding.since_nsec) {
      events.push_back({*finding.since_nsec, kind,
                        fmt::format("{}: {}", title_of(finding.kind), finding.summary)});
    }
    add_records(finding.evidence, events);
    add_records(finding.against, events);
    add_findings(finding.consequences, Kind::Consequence, events);
  }
}

void put_in_order(std::vector<Event>& events) {
  const auto key = [](const Event& event) { return std::tie(event.nsec, event.kind, event.what); };
  std::ranges::sort(events, std::ranges::less(), key);
  const auto same = [&](const Event& left, const Event& right) { return key(left) == key(right); };
  events.erase(std::unique(events.begin(), events.end(), same), events.end());
}

// A guest that has run for days and hangs since a minute is shown from shortly before that.
std::uint64_t begin_of_picture(const std::vector<Event>& events, std::uint64_t end) {
  constexpr std::uint64_t most_of_life = 10;
  if (events.empty()) return 0;
  const std::uint64_t first = std::min(events.front().nsec, end);
  const std::uint64_t margin = std::max((end - first) / 2, nsec_per_second);
  return first < margin || first - margin < end / most_of_life ? 0 : first - margin;
}

}  // namespace

std::string exact_seconds(std::uint64_t nsec) {
  return log_time(nsec) + " s";
}

std::optional<Timeline> timeline_of(const TriageReport& report) {
  const std::optional<std::uint64_t> last = report.facts.last_record_nsec;
  Timeline timeline;
  const bool has_stop = report.facts.time.now_nsec != 0;
  timeline.end_nsec = has_stop ? report.facts.time.now_nsec : last.value_or(0);
  if (timeline.end_nsec == 0) return std::nullopt;
  add_findings(report.verdict.findings, Kind::Finding, timeline.events);
  put_in_order(timeline.events);
  if (timeline.events.size() > most_events) {
    timeline.left_out = timeline.events.size() - most_events;
    timeline.events.resize(most_events);
  }
  timeline.begin_nsec = begin_of_picture(timeline.events, timeline.end_nsec);
  if (last) timeline.events.push_back({*last, Kind::LastMessage, "the last message"});
  if (has_stop) timeline.events.push_back({timeline.end_nsec, Kind::Stop, "the guest stopped"});
  put_in_order(timeline.events);
  constexpr std::uint64_t least_silence = nsec_per_second;
  if (last && timeline.end_nsec > *last + least_silence) timeline.silent_since_nsec = *last;
  return timeline;
}

}  // namespace photon_dmesg
