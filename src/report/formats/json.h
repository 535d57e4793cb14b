#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes one document: the records as an array "dmesg", a superset of what `dmesg -J` prints, and
// guest, source and warnings beside it. Always valid UTF-8.
[[nodiscard]] std::unique_ptr<ReportWriter> make_json_writer(const ReportContext& context,
                                                             std::ostream& out);

// Writes one object a line: each record as in the document, with what makes it mean something
// alone.
[[nodiscard]] std::unique_ptr<ReportWriter> make_ndjson_writer(const ReportContext& context,
                                                               std::ostream& out);

}  // namespace photon_dmesg
