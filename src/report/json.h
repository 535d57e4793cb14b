#pragma once

#include <ostream>

#include "report/report.h"

namespace photon_dmesg {

// docs/json-schema.md describes both outputs; a change that a reader could stumble over takes a new
// version there and here.
inline constexpr int json_schema_version = 1;

// Writes one document: the records as an array "dmesg", a superset of what `dmesg -J` prints, and
// guest, source and warnings beside it. Always valid UTF-8.
void write_json(const Report& report, std::ostream& out);

// Writes one object a line: each record as in the document, with the guest's release and the
// checkpoint's file name.
void write_ndjson(const Report& report, std::ostream& out);

}  // namespace photon_dmesg
