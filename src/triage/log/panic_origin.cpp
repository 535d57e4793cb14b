#include "triage/log/panic_origin.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "triage/log/faulty_function.h"

namespace photon_dmesg {
namespace {

// How long a slow console may take from a report to the panic that comes of it.
constexpr std::uint64_t longest_way = 120'000'000'000;  // nanoseconds

struct PanicReason {
  std::string_view text;  // that panic()'s words contain
  FindingKind origin;     // what it can come of
};

constexpr std::array reasons = {
    PanicReason{"softlockup: hung tasks", FindingKind::SoftLockup},
    PanicReason{"hung_task: blocked tasks", FindingKind::BlockedTasks},
    PanicReason{"Hard LOCKUP", FindingKind::HardLockup},
    PanicReason{"hard LOCKUP", FindingKind::HardLockup},
    PanicReason{"RCU Stall", FindingKind::RcuStall},
    PanicReason{"ut of memory", FindingKind::OutOfMemory},
    PanicReason{"deadlocked on memory", FindingKind::OutOfMemory},
    PanicReason{"scheduling while atomic", FindingKind::SleepInAtomic},
    PanicReason{"workqueue: ", FindingKind::StalledWorkers},
    PanicReason{"achine check", FindingKind::MachineCheck},
    PanicReason{"NMI: Not continuing", FindingKind::MachineCheck},
};

// What an exception's reasons and panic_on_warn come of.
bool is_report(FindingKind kind) {
  switch (kind) {
    case FindingKind::Oops:
    case FindingKind::MemoryCorruption:
    case FindingKind::KernelBug:
    case FindingKind::SleepInAtomic:
    case FindingKind::RefcountError:
    case FindingKind::UndefinedBehavior:
    case FindingKind::DataRace:
    case FindingKind::LockingError:
    case FindingKind::DeviceStuck:
    case FindingKind::Warning:
      return true;
    default:
      return false;
  }
}

bool is_of_itself(std::string_view reason) {
  constexpr std::array alone = {"sysrq triggered crash", "VFS: Unable to mount root",
                                "No working init",       "Requested init",
                                "stack-protector",       "corrupted stack end"};
  return std::any_of(alone.begin(), alone.end(), [reason](std::string_view text) {
    return reason.find(text) != std::string_view::npos;
  });
}

}  // namespace

bool may_be_origin(const LogEvent& event, const LogEvent& panic) {
  if (event.boots_ago != panic.boots_ago) return false;
  if (panic.first.ts_nsec > event.last.ts_nsec + longest_way) return false;
  if (is_of_itself(panic.what)) return false;
  for (const PanicReason& reason : reasons) {
    if (panic.what.find(reason.text) != std::string::npos) return event.kind == reason.origin;
  }
  if (panic.what.find("panic_on_") == std::string::npos && event.kind == FindingKind::Warning) {
    return false;
  }
  const bool is_of_init = event.kind == FindingKind::Segfault && event.task && event.task->pid == 1;
  if (is_of_init) return panic.what.find("Attempted to kill init") != std::string::npos;
  return is_report(event.kind);
}

const LogEvent* origin_of(const LogEvent& panic, const std::vector<LogEvent>& events) {
  if (!panic.origin) return nullptr;
  const auto is_it = [&](const LogEvent& event) {
    return event.kind != FindingKind::Panic &&
           (event.first.seq == *panic.origin ||
            std::any_of(event.repeats.begin(), event.repeats.end(),
                        [&](const LogPlace& repeat) { return repeat.seq == *panic.origin; }));
  };
  const auto found = std::find_if(events.begin(), events.end(), is_it);
  return found == events.end() ? nullptr : &*found;
}

void complete_origins(std::vector<LogEvent>& events) {
  for (const LogEvent& panic : events) {
    if (panic.kind != FindingKind::Panic) continue;
    const LogEvent* const found = origin_of(panic, events);
    if (found == nullptr || !found->trace.empty()) continue;
    LogEvent& origin = events[static_cast<std::size_t>(found - events.data())];
    origin.trace = panic.trace;
    if (!origin.task) origin.task = panic.task;
    if (!origin.cpu) origin.cpu = panic.cpu;
    if (origin.rip.empty()) origin.rip = panic.rip;
    origin.function = faulty_function(origin);
  }
}

}  // namespace photon_dmesg
