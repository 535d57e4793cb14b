#pragma once

#include <cstdint>
#include <vector>

#include "triage/finding.h"
#include "triage/log/log_event.h"

namespace photon_dmesg {

// What the events of one boot say is wrong: a finding for each, the first of the verdicts first. A
// panic names what it came of, which is a finding of its own; what came after a panic, and oopses
// after the first and all that a kernel tainted by one reports, are consequences. `events` are in
// the order of the log, as LogEvents has them.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<LogEvent>& events);

// What a log tells of one boot of the guest.
struct BootFindings {
  std::uint64_t boots_ago = 0;  // how often the guest was started since
  std::vector<Finding> findings;
};

// The same of events of any number of boots, each by itself: the last boot at the front, which may
// have no findings, then the earlier ones that have some.
[[nodiscard]] std::vector<BootFindings> findings_by_boot(const std::vector<LogEvent>& events);

}  // namespace photon_dmesg
