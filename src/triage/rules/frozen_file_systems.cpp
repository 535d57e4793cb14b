#include <fmt/format.h>

#include <map>

#include "triage/rules/blocked.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {

std::vector<Finding> find_frozen_file_systems(const GuestFacts& facts) {
  std::map<const FileSystem*, std::vector<BlockedTask>> waiting;
  for (const BlockedTask& task : blocked_tasks(facts, BlockedIn::Freeze)) {
    waiting[frozen_file_system(facts, *task.activity)].push_back(task);
  }
  std::vector<Finding> findings;
  const TasksByAddress all(facts);
  for (const auto& [file_system, tasks] : waiting) {
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::FrozenFileSystem;
    // Two that don't depend on each other: the file system's own word, and who waits in its lock.
    constexpr std::uint32_t complete = 4;  // SB_FREEZE_COMPLETE
    finding.grade = *file_system->frozen == complete ? Grade::Certain : Grade::Strong;
    finding.object = name_of(*file_system);
    finding.summary = finding.object + " is frozen";
    finding.evidence.push_back({.what = "super_block.s_writers.frozen",
                                .value = fmt::format("{}", *file_system->frozen),
                                .address = file_system->address});
    add_blocked(facts, all, tasks, finding);
    finding.notes.emplace_back(
        "fsfreeze and snapshots with quiescing freeze on purpose, and thaw in the end");
  }
  return findings;
}

}  // namespace photon_dmesg
