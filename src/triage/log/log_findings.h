#pragma once

#include <vector>

#include "triage/finding.h"
#include "triage/log/log_event.h"

namespace photon_dmesg {

// What the events of a log say is wrong: a finding for each, the first of the verdicts first. A
// panic names what it came of, which is a finding of its own; what came after a panic, and oopses
// after the first and all that a kernel tainted by one reports, are consequences. `events` are in
// the order of the log, as LogEvents has them.
[[nodiscard]] std::vector<Finding> findings_of(const std::vector<LogEvent>& events);

}  // namespace photon_dmesg
