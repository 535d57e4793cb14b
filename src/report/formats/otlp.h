#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes one ExportLogsServiceRequest of OpenTelemetry in its JSON encoding (OTLP/JSON): what a
// collector takes at /v1/logs and its otlpjsonfile receiver takes from a file.
[[nodiscard]] std::unique_ptr<ReportWriter> make_otlp_writer(const ReportContext& context,
                                                             std::ostream& out);

}  // namespace photon_dmesg
