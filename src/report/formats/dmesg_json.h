#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes what `dmesg -J` of util-linux prints for the same records, byte for byte, with
// `context.style.decode` as with -x. It has no place for what dmesg does not know. Where dmesg's
// output would not be JSON, ours is: bytes that are not UTF-8 are written as "\xNN"; and the
// control characters U+0080 to U+009F, which a terminal would obey, are escaped. Without any record
// an empty array, where dmesg prints nothing at all.
[[nodiscard]] std::unique_ptr<ReportWriter> make_dmesg_json_writer(const ReportContext& context,
                                                                   std::ostream& out);

}  // namespace photon_dmesg
