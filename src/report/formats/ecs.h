#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes one object a line with the field names of the Elastic Common Schema, for Elasticsearch and
// everything that reads ECS.
[[nodiscard]] std::unique_ptr<ReportWriter> make_ecs_writer(const ReportContext& context,
                                                            std::ostream& out);

}  // namespace photon_dmesg
