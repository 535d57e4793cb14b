#pragma once

#include <filesystem>
#include <istream>
#include <vector>

#include "base/diagnostics.h"
#include "report/triage_report.h"
#include "session/guest.h"

namespace photon_dmesg {

// What is wrong with `guest`, and what tells so. What can't be read is not judged, which is a
// warning if it is its tasks or its log. What it sent to its host, by those of `files` that are the
// host's logs and those beside its checkpoint, counts where its log in memory lacks it.
[[nodiscard]] TriageReport judge_guest(Guest& guest,
                                       const std::vector<std::filesystem::path>& files,
                                       Diagnostics& diagnostics);

// The same by the text of a log alone, which is called `name` where it says what told.
[[nodiscard]] TriageReport judge_text_log(std::istream& input,
                                          const std::string& name = "the text of a log");

}  // namespace photon_dmesg
