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

// Reads everything that rules judge `guest` by, `logged` being what its log tells. `tasks` is null
// if they can't be found.
[[nodiscard]] GuestFacts read_guest_facts(const Guest& guest, const GuestTasks* tasks,
                                          KnownTimes times, std::vector<Finding> logged,
                                          Diagnostics& diagnostics);

// What of `facts` is missing, each as a phrase: nothing of it was judged.
[[nodiscard]] std::vector<std::string> missing_facts(const GuestFacts& facts);

}  // namespace photon_dmesg
