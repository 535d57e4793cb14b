#include <fmt/format.h>

#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {

std::vector<Finding> find_oops(const GuestFacts& facts) {
  std::vector<Finding> findings = logged_of(facts, FindingKind::Oops);
  const std::optional<Reading>& oopses = facts.panic.die_counter;
  if (findings.empty()) {
    if (!oopses || oopses->value == 0) return {};
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::Oops;
    // Only the kernel's die() counts there; that the log says nothing leaves it alone.
    finding.grade = Grade::Weak;
    constexpr std::uint64_t died = 1U << 7U;  // TAINT_DIE
    if (facts.panic.tainted && (facts.panic.tainted->value & died) != 0) {
      finding.grade = Grade::Strong;
      finding.evidence.push_back(witness_of(*facts.panic.tainted));
    }
    finding.summary = fmt::format("{} since boot, of which the log no longer tells",
                                  oopses->value == 1 ? "one" : fmt::format("{}", oopses->value));
    finding.evidence.push_back(witness_of(*oopses));
    return findings;
  }
  for (Finding& finding : findings) {
    if (!oopses) continue;
    if (oopses->value == 0) {
      finding.grade = Grade::Weak;
      finding.against.push_back(witness_of(*oopses));
    } else {
      finding.evidence.push_back(witness_of(*oopses));
    }
  }
  return findings;
}

}  // namespace photon_dmesg
