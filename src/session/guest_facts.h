#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "session/guest.h"
#include "session/guest_tasks.h"
#include "triage/rules/guest_facts.h"

namespace photon_dmesg {

// What is known of the log before a guest's facts are read.
struct LogFacts {
  std::vector<Finding> findings;
  std::optional<std::uint64_t> last_record_nsec;
};

// Reads everything that rules judge `guest` by. `tasks` is null if they can't be found, and
// `monotonic_nsec` its timekeeper's, if that is known.
[[nodiscard]] GuestFacts read_guest_facts(const Guest& guest, const GuestTasks* tasks,
                                          std::optional<std::uint64_t> monotonic_nsec, LogFacts log,
                                          Diagnostics& diagnostics);

// What of `facts` is missing, each as a phrase: nothing of it was judged.
[[nodiscard]] std::vector<std::string> missing_facts(const GuestFacts& facts);

}  // namespace photon_dmesg
