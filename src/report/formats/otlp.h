#pragma once

#include <memory>
#include <ostream>

#include "report/formats/stream_frame.h"
#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes one ExportLogsServiceRequest of OpenTelemetry in its JSON encoding (OTLP/JSON): what a
// collector takes at /v1/logs and its otlpjsonfile receiver takes from a file.
//
// One of several guests is a resource alone, which otlp_frame makes a request of.
[[nodiscard]] std::unique_ptr<ReportWriter> make_otlp_writer(const ReportContext& context,
                                                             std::ostream& out);

inline constexpr StreamFrame otlp_frame = {R"({"resourceLogs":[)", ",\n", "]}\n"};

}  // namespace photon_dmesg
