#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// docs/formats.md describes both outputs; a change that a reader could stumble over takes a new
// version there, here and in share/schema.
inline constexpr int json_schema_version = 1;

// Writes one document: the records as an array "dmesg", a superset of what `dmesg -J` prints, and
// guest, source and warnings beside it. Always valid UTF-8.
[[nodiscard]] std::unique_ptr<ReportWriter> make_json_writer(const ReportContext& context,
                                                             std::ostream& out);

// Writes one object a line: each record as in the document, with what makes it mean something
// alone.
[[nodiscard]] std::unique_ptr<ReportWriter> make_ndjson_writer(const ReportContext& context,
                                                               std::ostream& out);

}  // namespace photon_dmesg
