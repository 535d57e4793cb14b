#pragma once

#include <vector>

#include "report/host_evidence.h"
#include "triage/finding.h"

namespace photon_dmesg {

// The panics and oopses that `testimony` tells of and the log in memory does not: the lines that
// report them are not there. Their evidence names the host's log and its times instead of records.
[[nodiscard]] std::vector<Finding> findings_of(const HostTestimony& testimony);

}  // namespace photon_dmesg
