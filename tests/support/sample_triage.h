#pragma once

#include <string>

#include "report/triage_report.h"

namespace photon_dmesg::test {

// A report with something in every place: a deadlock with a consequence, an oops, a vCPU in the
// kernel and one that is idle, tasks in D of two groups, records, inputs, a screen. `name` is what
// every text of the guest's is, or holds.
[[nodiscard]] TriageReport sample_triage(const std::string& name);

using WriteTriage = void (*)(const TriageReport& report, std::ostream& out);
[[nodiscard]] std::string written(WriteTriage write, const TriageReport& report);

// Texts that would be markup, or steer a terminal, if they were not escaped.
[[nodiscard]] const std::vector<std::string>& hostile_names();

}  // namespace photon_dmesg::test
