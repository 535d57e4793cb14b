#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "triage/rules/guest_facts.h"

namespace photon_dmesg {

// Tasks in uninterruptible sleep that wait for the same thing, or, where that is not known, in the
// same place.
struct BlockedGroup {
  std::string what;  // "mutex lab_a [lab]"; empty: not known
  // Those that have waited for the longest time first. Never empty.
  std::vector<const TaskActivity*> tasks;
  // From what they wait for to who would have to go on: "held by sh (146), in D, which waits for
  // mutex lab_b", "held by sh (147), in S in lab_sleep".
  std::vector<std::string> owners;
  // The last of those, where it is not one of the tasks in D itself; null: none is known.
  const TaskActivity* holder = nullptr;
};

// All of them, the largest first. `facts` must outlive what is returned.
[[nodiscard]] std::vector<BlockedGroup> blocked_groups(const GuestFacts& facts);

}  // namespace photon_dmesg
