#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/file_stream.h"
#include "triage/log/log_events.h"
#include "triage/log/text_log.h"

namespace photon_dmesg::test {

// The events of a log as text.
inline std::vector<LogEvent> events_of_text(const std::string& log) {
  const BufferSource source("log", std::as_bytes(std::span(log)));
  FileStream input(source);
  LogEvents events(LogSource::Print);
  read_text_log(input, [&](const LogRecord& record) {
    events.add(record);
    return true;
  });
  return events.finish();
}

}  // namespace photon_dmesg::test
