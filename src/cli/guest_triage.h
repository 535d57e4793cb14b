#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/byte_stream.h"
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

// The same by the text of a log alone, which is called `name` where it says what told. Throws what
// `input` throws; that it looks like no log of a kernel's is a warning.
[[nodiscard]] TriageReport judge_text_log(ByteStream& input, const std::string& name,
                                          Diagnostics& diagnostics);

}  // namespace photon_dmesg
