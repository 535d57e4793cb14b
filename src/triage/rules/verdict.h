#pragma once

#include <string>
#include <vector>

#include "triage/finding.h"
#include "triage/rules/guest_facts.h"

namespace photon_dmesg {

// What is wrong with a guest, all of it put in order.
struct Verdict {
  // The causes, the one to know first at the front; what came of each is among its consequences.
  // Empty: nothing wrong was found.
  std::vector<Finding> findings;
  // What the guest was about when it stopped, if not its ordinary work: "it was booting".
  std::vector<std::string> circumstances;
};

// Applies all rules, and tells causes from consequences.
[[nodiscard]] Verdict judge(const GuestFacts& facts);

}  // namespace photon_dmesg
