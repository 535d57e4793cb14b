#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes the log as dmesg(1) of util-linux prints the same records, in the style of
// `context.style`: further lines of a record indented to the first, an empty record as an empty
// line. Bytes that are not printable in the locale of LC_CTYPE become "\xNN"; for a terminal so do
// CR, VT and FF. As in dmesg, a record whose text is lost prints nothing; it is among the losses.
// What no dmesg shows stands in sections of its own, between lines that begin with "--".
[[nodiscard]] std::unique_ptr<ReportWriter> make_text_writer(const ReportContext& context,
                                                             std::ostream& out);

}  // namespace photon_dmesg
