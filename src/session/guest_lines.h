#pragma once

#include <set>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/symbols/source_line.h"
#include "session/guest.h"

namespace photon_dmesg {

// The source lines of the instructions of the kernel's image at `addresses`, as at run time, by the
// vmlinux that `guest` was opened with. If that is not a file of its own, or its debug information
// is damaged, lines are missing, and a warning says so.
[[nodiscard]] LinesByAddress find_lines(const Guest& guest, const std::set<GuestVirtual>& addresses,
                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
