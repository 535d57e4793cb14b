#pragma once

#include "base/diagnostics.h"
#include "report/report.h"
#include "session/guest.h"

namespace photon_dmesg {

// What reports say of `guest`, but for its clock, which not every report needs.
[[nodiscard]] GuestInfo describe_guest(const Guest& guest, Diagnostics& diagnostics);

// The guest's files, and where its symbols were found.
[[nodiscard]] SourceInfo describe_source(const Guest& guest);

}  // namespace photon_dmesg
