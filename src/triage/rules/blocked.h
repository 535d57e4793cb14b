#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "triage/finding.h"
#include "triage/rules/guest_facts.h"

// Tasks that have waited too long, and how findings tell of them.
namespace photon_dmesg {

struct BlockedTask {
  const TaskActivity* activity = nullptr;
  std::optional<std::uint64_t> age;  // nanoseconds
};

// What they wait in.
enum class BlockedIn {
  Freeze,   // a file system that is frozen
  Storage,  // the answer of a disk, or the journal that waits for it
  Other,    // locks and everything else
};

// All tasks in D for longer than a healthy guest has, the oldest first, but for those that are part
// of a circle, that only sleep for a time, and parents whose child has their memory. Where it is
// not known of any task how long it has waited, those whose lock somebody has who does not run.
[[nodiscard]] std::vector<BlockedTask> blocked_tasks(const GuestFacts& facts, BlockedIn where);

// The file system whose freezing `activity` waits out; null if it waits for something else.
[[nodiscard]] const FileSystem* frozen_file_system(const GuestFacts& facts,
                                                   const TaskActivity& activity);

// Adds to `finding` those that wait, the first of which is the one to look at: names, since when,
// what it does, what it waits for. Puts "3 tasks for up to 45.1 s, the first sh (12)" into the
// summary, behind what is there. `all`: the tasks of `facts`.
void add_blocked(const GuestFacts& facts, const TasksByAddress& all,
                 const std::vector<BlockedTask>& tasks, Finding& finding);

}  // namespace photon_dmesg
