#pragma once

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "cli/options/options.h"
#include "report/redactor.h"
#include "report/triage_report.h"
#include "session/guest.h"

namespace photon_dmesg {

// Add to a report whose verdict has been given what only the formats for tickets show: the last
// records and those that findings name, and how many there were when; and the files that it was
// made from. What can't be had stays absent. If the report is to be redacted, `redactor` learns
// which hosts the log introduces.

// Of a guest: with its screen too.
void add_details(const Options& options, Guest& guest, Redactor& redactor, TriageReport& report,
                 Diagnostics& diagnostics);
// Of a log whose text is `text`.
void add_details(const Options& options, const ByteSource& text, Redactor& redactor,
                 TriageReport& report, Diagnostics& diagnostics);

}  // namespace photon_dmesg
