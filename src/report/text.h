#pragma once

#include <ostream>
#include <string>

#include "kernel/log_record.h"
#include "report/report.h"

namespace photon_dmesg {

// Writes the log as dmesg(1) of util-linux 2.38 and later prints the same records: "[%5lu.%06lu] "
// and the text, further lines of a record indented to the first, an empty record as an empty line.
// Bytes that are not printable in the locale of LC_CTYPE become "\xNN". As in dmesg, a record whose
// text is lost prints nothing; it is among the losses.
void write_text(const Report& report, std::ostream& out);

// One record as above, with the newline at its end.
[[nodiscard]] std::string text_line(const LogRecord& record,
                                    TimeFormat format = TimeFormat::SinceBoot,
                                    std::int64_t realtime_offset_nsec = 0);

}  // namespace photon_dmesg
