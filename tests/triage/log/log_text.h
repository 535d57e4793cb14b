#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "triage/log/log_events.h"
#include "triage/log/text_log.h"

namespace photon_dmesg::test {

// The events of a log as text.
inline std::vector<LogEvent> events_of_text(const std::string& log) {
  std::istringstream input(log);
  LogEvents events;
  read_text_log(input, [&](const LogRecord& record) {
    events.add(record);
    return true;
  });
  return events.finish();
}

}  // namespace photon_dmesg::test
