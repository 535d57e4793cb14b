#pragma once

#include <vector>

#include "triage/log/log_event.h"

namespace photon_dmesg {

// Whether `panic`, by the reason that it gives and its time, may have come of `event`.
[[nodiscard]] bool may_be_origin(const LogEvent& event, const LogEvent& panic);

// The event that a panic came of; null if the log has none.
[[nodiscard]] const LogEvent* origin_of(const LogEvent& panic, const std::vector<LogEvent>& events);

// Gives what panics came of the traces that only the panic printed: with panic_on_warn, panic()
// comes before the warning's own trace (until 4.19).
void complete_origins(std::vector<LogEvent>& events);

}  // namespace photon_dmesg
