#pragma once

#include <istream>

#include "base/diagnostics.h"
#include "report/triage_report.h"
#include "session/guest.h"

namespace photon_dmesg {

// What is wrong with `guest`, and what tells so. What can't be read is not judged, which is a
// warning if it is its tasks or its log.
[[nodiscard]] TriageReport judge_guest(Guest& guest, Diagnostics& diagnostics);

// The same by the text of a log alone.
[[nodiscard]] TriageReport judge_text_log(std::istream& input);

}  // namespace photon_dmesg
