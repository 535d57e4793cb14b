#include <fmt/format.h>

#include <algorithm>

#include "triage/rules/blocked.h"
#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// When the guest stopped, by the clock that the request's times are by.
std::uint64_t now_of(const GuestFacts& facts, const Request& request) {
  return request.by_monotonic ? facts.time.monotonic_nsec : facts.time.now_nsec;
}

std::optional<std::uint64_t> age(const GuestFacts& facts, const Request& request) {
  return age_of(request, now_of(facts, request));
}

// The oldest request that has taken too long, of those that `counts` is true of; null if there is
// none.
template <typename Counts>
const Request* oldest_if(const GuestFacts& facts, const Disk& disk, Counts counts) {
  const Request* oldest = nullptr;
  for (const Request& request : disk.requests) {
    if (!counts(request) || age(facts, request).value_or(0) < least_age) continue;
    if (oldest == nullptr || *age(facts, request) > *age(facts, *oldest)) oldest = &request;
  }
  return oldest;
}

const Request* oldest_of(const GuestFacts& facts, const Disk& disk) {
  return oldest_if(facts, disk, [](const Request&) { return true; });
}

// The oldest of those that the disk has, for which the others may wait; else of all.
const Request* oldest_stalled(const GuestFacts& facts, const Disk& disk) {
  const Request* in_flight = oldest_if(
      facts, disk, [](const Request& request) { return request.state == RequestState::InFlight; });
  return in_flight != nullptr ? in_flight : oldest_of(facts, disk);
}

// What `disk` is at fault with, which has had `oldest` for so long.
std::string summary_of(const Disk& disk, const Request& oldest, std::uint64_t age_nsec) {
  switch (oldest.state) {
    case RequestState::InFlight:
      return fmt::format("{} has not answered for {}", disk.name, seconds(age_nsec));
    case RequestState::Waiting:
      return fmt::format("{} was not given a request for {}", disk.name, seconds(age_nsec));
    case RequestState::Completed:
      break;
  }
  // Until 4.20 a timeout too completes a request, which its handler is to end.
  return fmt::format("a request to {} of {} ago was answered or has timed out, and is not ended",
                     disk.name, seconds(age_nsec));
}

std::string progress_of(const Request& request, std::uint64_t age_nsec) {
  switch (request.state) {
    case RequestState::InFlight:
      return fmt::format("in flight for {}", seconds(age_nsec));
    case RequestState::Waiting:
      return fmt::format("waiting for {}", seconds(age_nsec));
    case RequestState::Completed:
      break;
  }
  return fmt::format("of {} ago, answered or timed out", seconds(age_nsec));
}

std::string describe(const Request& request) {
  std::string text = request.operation;
  if (request.sector) text += fmt::format(" of sector {}", *request.sector);
  return text;
}

// Where the requests are: on VMware's adapter its rings tell the guest's side from the host's.
void add_rings(const Disk& disk, Finding& finding) {
  if (!disk.scsi_host || !disk.scsi_host->rings) return;
  const PvscsiRings& rings = *disk.scsi_host->rings;
  finding.evidence.push_back(
      {.what = "pvscsi rings",
       .value =
           fmt::format("requests made {}, taken {}, answers made {}, taken {}", rings.requests_made,
                       rings.requests_taken, rings.answers_made, rings.answers_taken),
       .address = rings.address});
  if (rings.requests_made != rings.requests_taken) {
    finding.notes.emplace_back("the host has not even taken all requests");
  } else if (rings.answers_made != rings.answers_taken) {
    finding.notes.emplace_back(
        "the host has answered what the guest has not looked at yet, as a stop may leave it");
  } else if (count(disk, RequestState::InFlight) > 0) {
    finding.notes.emplace_back("the host has taken all requests and not answered: look there");
  } else if (count(disk, RequestState::Completed) > 0) {
    finding.notes.emplace_back(
        "the host has taken all requests: what has timed out it has not answered");
  }
}

void add_scsi(const Disk& disk, Finding& finding) {
  if (!disk.scsi_host) return;
  const ScsiHost& host = *disk.scsi_host;
  if (host.failed.value_or(0) > 0) {
    finding.evidence.push_back({.what = "Scsi_Host.host_failed",
                                .value = fmt::format("{}", *host.failed),
                                .address = host.address});
    finding.notes.emplace_back("the SCSI error handler is at work, or waits to be");
  }
  add_rings(disk, finding);
}

// What SCSI has given to the disk anew, since it failed or was not answered in time.
void add_tries(const GuestFacts& facts, const Disk& disk, const Request& request,
               Finding& finding) {
  if (!request.scsi_tries || request.scsi_tries->again == 0) return;
  finding.evidence.push_back(
      {.what = "scsi_cmnd.retries",
       .value = fmt::format("{} of {}", request.scsi_tries->again, request.scsi_tries->most),
       .address = request.address});
  finding.notes.emplace_back("the command has failed or timed out, and was given to the disk anew");
  if (!request.given_nsec) return;
  const std::uint64_t now = now_of(facts, request);
  const std::uint64_t given = std::min(*request.given_nsec, now);
  finding.evidence.push_back({.what = disk.name + ", given to the driver for the last time",
                              .value = seconds(now - given) + " before the stop",
                              .address = request.address});
}

Witness witness_of(const Disk& disk, const Request& request, std::uint64_t age_nsec) {
  return {.what = fmt::format("{}, {}, {}", disk.name, describe(request),
                              progress_of(request, age_nsec)),
          .address = request.address};
}

// `stalled` is what the disk is at fault with; others may have waited behind it for longer.
void add_requests(const GuestFacts& facts, const Disk& disk, const Request& stalled,
                  Finding& finding) {
  const std::uint64_t stalled_age = *age(facts, stalled);
  const std::size_t in_flight = count(disk, RequestState::InFlight);
  finding.summary += summary_of(disk, stalled, stalled_age);
  finding.evidence.push_back(witness_of(disk, stalled, stalled_age));
  add_tries(facts, disk, stalled, finding);
  if (in_flight > 1) {
    finding.evidence.push_back({.what = fmt::format("{}, requests in flight", disk.name),
                                .value = fmt::format("{}", in_flight)});
  }
  const Request& oldest = *oldest_of(facts, disk);
  const std::uint64_t oldest_age = *age(facts, oldest);
  if (oldest_age > stalled_age) finding.evidence.push_back(witness_of(disk, oldest, oldest_age));
  const auto since = begin_of(facts.time.now_nsec, oldest_age);
  if (!finding.since_nsec || since < finding.since_nsec) finding.since_nsec = since;
}

// One finding for all that does not answer: what waits for one disk may be the other's answer.
void add_disks(const GuestFacts& facts, Finding& finding) {
  for (const Disk& disk : facts.disks) {
    const bool is_suspended = disk.is_suspended.value_or(false);
    const Request* oldest = oldest_stalled(facts, disk);
    if (!is_suspended && oldest == nullptr) continue;
    if (!finding.summary.empty()) finding.summary += ", ";
    if (!finding.object.empty()) finding.object += ", ";
    finding.object += disk.name;
    if (is_suspended) {
      finding.summary += disk.name + " is suspended";
      finding.evidence.push_back({.what = disk.name + " is suspended", .address = disk.address});
    } else {
      add_requests(facts, disk, *oldest, finding);
    }
    add_scsi(disk, finding);
  }
}

// A suspended disk that nobody waits for is as its administrator wants it.
bool is_stalled(const GuestFacts& facts, const std::vector<BlockedTask>& tasks) {
  return !tasks.empty() ||
         std::any_of(facts.disks.begin(), facts.disks.end(),
                     [&](const Disk& disk) { return oldest_stalled(facts, disk) != nullptr; });
}

// What the tasks' waits name, where no disk is known to be at fault.
void add_object_of_wait(const std::vector<BlockedTask>& tasks, Finding& finding) {
  for (const BlockedTask& task : tasks) {
    if (!task.activity->waiting || !task.activity->waiting->wait.name) continue;
    finding.object = describe_object(task.activity->waiting->wait);
    finding.summary = "waiting for " + finding.object;
    return;
  }
}

}  // namespace

std::vector<Finding> find_stalled_storage(const GuestFacts& facts) {
  std::vector<BlockedTask> tasks = blocked_tasks(facts, BlockedIn::Storage);
  if (!is_stalled(facts, tasks)) return {};
  // Who waits for the disk itself is nearer to the cause than who waits for the journal.
  std::stable_partition(tasks.begin(), tasks.end(),
                        [](const BlockedTask& task) { return waits_for_io(task.activity->trace); });
  Finding finding;
  finding.kind = FindingKind::StorageStalled;
  add_disks(facts, finding);
  const bool knows_disk = !finding.object.empty();
  if (!knows_disk) {
    add_object_of_wait(tasks, finding);
    if (!facts.disks.empty()) {
      finding.notes.emplace_back(
          "no disk has an old request: one is suspended, or the request was lost");
    }
  }
  add_blocked(facts, TasksByAddress(facts), tasks, finding);
  const bool is_long = !tasks.empty() && tasks.front().age.value_or(0) >= certain_age;
  finding.grade = knows_disk && !tasks.empty() ? Grade::Strong : Grade::Weak;
  if (tasks.size() > 1 && is_long) finding.grade = Grade::Strong;
  return {finding};
}

}  // namespace photon_dmesg
