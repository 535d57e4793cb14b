#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "triage/log/log_event.h"

namespace photon_dmesg {

// The events of a log, repeats counted with the first of their kind. Holds no more than a bounded
// number of them, however long the log is: one that finds no room takes that of an earlier boot, or
// is counted with the newest of its kind.
class EventStore {
 public:
  void add(LogEvent later);

  // What is added from now on is of another boot than what is there.
  void begin_boot();

  // The newest event that `fits`; null if none does.
  [[nodiscard]] LogEvent* newest(const std::function<bool(const LogEvent&)>& fits);

  // All, in the order of the log.
  [[nodiscard]] std::vector<LogEvent> take();

 private:
  std::vector<LogEvent> events_;
};

}  // namespace photon_dmesg
