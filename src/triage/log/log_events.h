#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kernel/printk/log_record.h"
#include "triage/log/event_patterns.h"
#include "triage/log/event_store.h"
#include "triage/log/log_event.h"
#include "triage/log/open_report.h"

namespace photon_dmesg {

// Whence a log's records are. Of memory's each is what printk was given at once, whatever it holds;
// what somebody printed may have several in a line.
enum class LogSource { Memory, Print };

// Finds in a log what the kernel reported of itself: panics, oopses, stalls, errors. It takes one
// record at a time and keeps of them what `finish` returns, which is bounded. Where records say who
// called printk, reports of several CPUs that came at the same time are told apart.
//
// What programs wrote to /dev/kmsg is no word of the kernel's, whatever it says: only what systemd
// says of itself is taken from them.
class LogEvents {
 public:
  explicit LogEvents(LogSource source = LogSource::Memory);

  // The next record of the log.
  void add(const LogRecord& record);

  // All events, in the order of the log. No record can be added afterwards.
  [[nodiscard]] std::vector<LogEvent> finish();

 private:
  // Who called printk, as one number.
  using Caller = std::uint64_t;
  struct Open {
    OpenReport report;
    Caller caller;
  };

  void add_line(std::string_view text, const LogRecord& record);
  void add_systemd(std::string_view line, LogPlace place);
  void add_head(const PatternMatch& match, std::string_view line, Caller caller, LogPlace place);
  void add_to_report(std::string_view line, Caller caller, LogPlace place);
  void add_start(std::string_view line, LogPlace place);
  void add_suppressed(std::string_view line);
  void begin_backtrace(std::string_view line, Caller caller);
  [[nodiscard]] Open* open_of(Caller caller);
  [[nodiscard]] std::optional<std::uint64_t> origin_of(const LogEvent& panic, Caller caller);
  void close(Caller caller);

  LogSource source_;
  PatternIndex kernel_;
  PatternIndex systemd_;
  std::vector<Open> open_;         // the oldest first
  std::uint64_t newest_nsec_ = 0;  // of the kernel that the log is at
  bool is_restarting_ = false;     // it said that it would
  EventStore store_;
};

}  // namespace photon_dmesg
