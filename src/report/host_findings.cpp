#include "report/host_findings.h"

#include <fmt/format.h>

#include "triage/log/log_events.h"
#include "triage/log/log_findings.h"

namespace photon_dmesg {
namespace {

// Their sequence numbers are those of lines, from 1.
std::vector<LogEvent> missing_events(const HostTestimony& testimony) {
  LogEvents reader;
  for (std::size_t i = 0; i < testimony.lines.size(); ++i) {
    reader.add(record_of(testimony.lines[i], i + 1));
  }
  std::vector<LogEvent> events = reader.finish();
  std::erase_if(events, [&](const LogEvent& event) {
    const bool is_fatal = event.kind == FindingKind::Panic || event.kind == FindingKind::Oops;
    return !is_fatal || testimony.is_logged.at(event.first.seq - 1);
  });
  return events;
}

void name_source(std::vector<Witness>& witnesses, const HostTestimony& testimony) {
  for (Witness& witness : witnesses) {
    if (!witness.record) continue;
    const HostLine& line = testimony.lines.at(*witness.record - 1);
    if (witness.nsec) {
      witness.what = fmt::format("{} at {} ({} s after boot): {}", host_log_name, line.host_time,
                                 log_time(*witness.nsec), witness.what);
    }
    witness.record.reset();
    witness.nsec.reset();
  }
}

void name_source(std::vector<Finding>& findings, const HostTestimony& testimony) {
  for (Finding& finding : findings) {
    name_source(finding.evidence, testimony);
    name_source(finding.against, testimony);
    name_source(finding.consequences, testimony);
  }
}

}  // namespace

std::vector<Finding> findings_of(const HostTestimony& testimony) {
  std::vector<Finding> findings = findings_of(missing_events(testimony));
  name_source(findings, testimony);
  for (Finding& finding : findings) {
    finding.notes.push_back(fmt::format(
        "the log in memory lacks it: the guest sent it to its host ({})", host_log_name));
  }
  return findings;
}

}  // namespace photon_dmesg
