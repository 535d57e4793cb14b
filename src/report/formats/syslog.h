#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes one message of RFC 5424 a line: facility and level as the kernel has them, the time of day
// in UTC ("-" where it is not known), the guest's host name, and the structured data "meta" with
// sequenceId and sysUpTime. Control characters of the text, newlines among them, and bytes that are
// not UTF-8 become "\xNN". Records whose text is lost are left out. Facilities above 23, which
// syslog does not have, become 1 (user).
[[nodiscard]] std::unique_ptr<ReportWriter> make_syslog_writer(const ReportContext& context,
                                                               std::ostream& out);

}  // namespace photon_dmesg
