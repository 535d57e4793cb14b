#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Both write what systemd's journal would hold of the records, had journald read them from
// /dev/kmsg (journald-kmsg.c): the same fields, without those that only a running guest knows.
// Records whose text is lost are left out.

// As `journalctl -o json` prints entries: one object a line, every value a string, or an array of
// byte values where it is not printable text.
[[nodiscard]] std::unique_ptr<ReportWriter> make_journal_json_writer(const ReportContext& context,
                                                                     std::ostream& out);

// systemd's export format, which systemd-journal-remote imports. Entries need the time of day:
// without the guest's clock there can be none, and an entry whose time can't be told has the
// nearest that can be.
[[nodiscard]] std::unique_ptr<ReportWriter> make_journal_export_writer(const ReportContext& context,
                                                                       std::ostream& out);

}  // namespace photon_dmesg
