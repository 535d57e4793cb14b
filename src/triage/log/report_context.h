#pragma once

#include <string_view>

#include "triage/log/log_event.h"

namespace photon_dmesg {

// Adds what one of a report's further lines says that is no line of its trace: on which CPU and in
// which task it was, the instruction, the memory, which CPUs stall...
void add_context(LogEvent& event, std::string_view line);

}  // namespace photon_dmesg
