#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

struct Starved {
  const Task* task = nullptr;
  std::uint64_t age = 0;
};

std::map<std::uint32_t, std::vector<Starved>> starved_by_cpu(const GuestFacts& facts) {
  std::map<std::uint32_t, std::vector<Starved>> result;
  for (const TaskActivity& activity : facts.tasks) {
    const auto age = nsec_starved(facts, activity.task);
    if (age.value_or(0) < least_age || !activity.task.cpu) continue;
    result[*activity.task.cpu].push_back({&activity.task, *age});
  }
  for (auto& [cpu, starved] : result) {
    std::sort(starved.begin(), starved.end(),
              [](const Starved& left, const Starved& right) { return left.age > right.age; });
  }
  return result;
}

}  // namespace

std::vector<Finding> find_starved_tasks(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const auto& [cpu, starved] : starved_by_cpu(facts)) {
    Finding& finding = findings.emplace_back();
    finding.kind = FindingKind::StarvedTasks;
    finding.grade = starved.size() > 1 ? Grade::Strong : Grade::Weak;
    finding.cpu = cpu;
    finding.since_nsec = begin_of(facts.time.now_nsec, starved.front().age);
    finding.summary =
        fmt::format("{} on CPU {} {} got no time for up to {}",
                    starved.size() == 1 ? "a task that could run"
                                        : fmt::format("{} tasks that could run", starved.size()),
                    cpu, starved.size() == 1 ? "has" : "have", seconds(starved.front().age));
    for (const Starved& one : starved) {
      finding.tasks.push_back({name_of_task(*one.task), begin_of(facts.time.now_nsec, one.age)});
    }
    finding.evidence.push_back(
        {.what = fmt::format("sched_info.last_queued of {}", name_and_pid(*starved.front().task)),
         .value = fmt::format("{} ago", seconds(starved.front().age)),
         .address = starved.front().task->address});
    const VcpuActivity* vcpu = vcpu_of(facts, cpu);
    if (vcpu == nullptr || !vcpu->task || vcpu->task->pid == 0) continue;
    finding.task = name_of_task(*vcpu->task);
    finding.summary += fmt::format(": {} has it", name_and_pid(*vcpu->task));
    finding.cause = vcpu->in_user_mode ? "in user mode" : summary_of(vcpu->trace);
  }
  return findings;
}

}  // namespace photon_dmesg
