#include <fmt/format.h>

#include <algorithm>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// All zones, or there would be room elsewhere.
bool is_exhausted(const MemoryUse& memory) {
  return !memory.zones.empty() &&
         std::all_of(memory.zones.begin(), memory.zones.end(),
                     [](const MemoryZone& zone) { return zone.is_exhausted(); });
}

std::size_t count_in_reclaim(const GuestFacts& facts) {
  return static_cast<std::size_t>(
      std::count_if(facts.tasks.begin(), facts.tasks.end(), [](const TaskActivity& activity) {
        return calls_any(activity.trace, {"try_to_free_pages", "throttle_direct_reclaim",
                                          "__alloc_pages_direct_reclaim", "__alloc_pages_slowpath",
                                          "balance_dirty_pages*"});
      }));
}

}  // namespace

std::vector<Finding> find_memory_shortage(const GuestFacts& facts) {
  std::vector<Finding> findings = logged_of(facts, FindingKind::OutOfMemory);
  const Witness kills{.what = "vm_event_states.event[OOM_KILL]",
                      .value = fmt::format("{}", facts.memory.oom_kills.value_or(0))};
  for (Finding& finding : findings) {
    if (facts.memory.oom_kills.value_or(0) > 0) finding.evidence.push_back(kills);
  }
  if (findings.empty() && facts.memory.oom_kills.value_or(0) > 0) {
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::OutOfMemory;
    // Whether the guest had none to give or a cgroup of it, the counter does not tell.
    finding.grade = Grade::Weak;
    finding.summary = fmt::format(
        "{} processes killed since boot, for the guest's memory or a cgroup's: the log "
        "no longer tells of it",
        *facts.memory.oom_kills);
    finding.evidence.push_back(kills);
  }
  if (!is_exhausted(facts.memory)) return findings;
  Finding& low = findings.emplace_back();
  low.kind = FindingKind::MemoryLow;
  const std::size_t waiting = count_in_reclaim(facts);
  low.grade = waiting > 0 ? Grade::Strong : Grade::Weak;
  std::uint64_t free_pages = 0;
  for (const MemoryZone& zone : facts.memory.zones) {
    free_pages += zone.free_pages;
    low.evidence.push_back(
        {.what = fmt::format("zone {}, free pages", zone.name),
         .value = fmt::format("{}, at most min {} and lowmem_reserve {}", zone.free_pages,
                              zone.watermarks[0], zone.reserve)});
  }
  low.summary = fmt::format("{} MiB are free, less than the kernel keeps for itself",
                            facts.memory.mib(free_pages));
  if (waiting == 1) low.notes.emplace_back("a task tries to free memory");
  if (waiting > 1) low.notes.push_back(fmt::format("{} tasks try to free memory", waiting));
  return findings;
}

}  // namespace photon_dmesg
