#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/triage_report.h"

namespace photon_dmesg {

// What happened when, on the guest's own axis of time: nanoseconds since boot.
struct Timeline {
  enum class Kind { Finding, Consequence, Record, LastMessage, Stop };
  struct Event {
    std::uint64_t nsec = 0;
    Kind kind = Kind::Record;
    std::string what;
  };

  // What a picture shows: from the boot on, or from shortly before the first event of a long life.
  std::uint64_t begin_nsec = 0;
  std::uint64_t end_nsec = 0;  // the stop; of a log alone its last message
  // Ascending. Of very many, the first ones and the stop.
  std::vector<Event> events;
  std::size_t left_out = 0;  // events beyond those
  // From when to the stop the log says nothing, where that is long enough to be seen.
  std::optional<std::uint64_t> silent_since_nsec;
};

// Nothing where neither is known.
[[nodiscard]] std::optional<Timeline> timeline_of(const TriageReport& report);

// "8.936664 s".
[[nodiscard]] std::string exact_seconds(std::uint64_t nsec);

}  // namespace photon_dmesg
