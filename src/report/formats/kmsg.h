#pragma once

#include <memory>
#include <ostream>

#include "report/report.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Writes records as /dev/kmsg gives them, a NUL behind each: what `dmesg -K` of util-linux 2.40 and
// later reads. As on kernels without CONFIG_PRINTK_CALLER, which Photon's are, callers are left
// out; a record that continues a line has the flag "c", as since Linux 4.10. The kernel escapes
// every byte that is not printable ASCII; where a record would thereby become longer than the 2048
// bytes that dmesg takes, only those are escaped that must be. What is still longer is cut, as the
// kernel cuts it: of a longer one dmesg would take neither that nor what follows. Records whose
// text is lost are left out, as /dev/kmsg leaves them out.
[[nodiscard]] std::unique_ptr<ReportWriter> make_kmsg_writer(const ReportContext& context,
                                                             std::ostream& out);

}  // namespace photon_dmesg
