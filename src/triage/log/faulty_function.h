#pragma once

#include <string>

#include "triage/log/log_event.h"

namespace photon_dmesg {

// The function that matters in an event: the one that its head names, or where the CPU was, or the
// first of its trace; but none of those that were at work to report it, or by which tasks wait.
// Empty if the log shows none.
[[nodiscard]] std::string faulty_function(const LogEvent& event);

// What an event's function was doing: "foo+0x12/0x30 [mod] < caller < caller"; empty if not known.
[[nodiscard]] std::string describe_cause(const LogEvent& event);

}  // namespace photon_dmesg
