#pragma once

#include <string_view>

#include "triage/log/event_patterns.h"
#include "triage/log/log_event.h"

namespace photon_dmesg {

// What the line that `match` fits says: kind, sub-class, object, CPU, task, function, details.
[[nodiscard]] LogEvent begin_event(const PatternMatch& match, std::string_view line,
                                   LogPlace place);

// Adds what a further such line of the same report says. `is_closer`: it also says more exactly
// what the report is about.
void add_head(LogEvent& event, const PatternMatch& match, std::string_view line, bool is_closer);

// "comm/123", "comm:123", "comm[123]": by the last `mark` of the text; nothing if no number stands
// behind that.
[[nodiscard]] std::optional<TaskName> parse_task(std::string_view text, char mark);

}  // namespace photon_dmesg
