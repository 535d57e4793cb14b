#include "report/formats/triage_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "triage/rules/frames.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {

std::string describe_with_place(const Witness& witness) {
  const std::string text = describe(witness);
  return witness.address ? fmt::format("{} (at {})", text, *witness.address) : text;
}

std::string heading_of(const TriageReport& report, const VcpuActivity& vcpu) {
  std::string text = fmt::format("vCPU {}", vcpu.vcpu);
  if (vcpu.cpu && *vcpu.cpu != vcpu.vcpu) text += fmt::format(" (the kernel's CPU {})", *vcpu.cpu);
  return fmt::format("{}: {}", text, doing_of(report, vcpu));
}

std::string heading_of(const TriageReport& report, const BlockedGroup& group) {
  const std::size_t count = group.tasks.size();
  std::string text = fmt::format("{} task{}", count, count == 1 ? "" : "s");
  if (const auto age = nsec_off_cpu(report.facts, group.tasks.front()->task)) {
    text += fmt::format(", for {}{}", count == 1 ? "" : "up to ", seconds(*age));
  }
  const std::string where = summary_of(group.tasks.front()->trace);
  if (group.what.empty()) return where.empty() ? text : fmt::format("{}: in {}", text, where);
  return fmt::format("{}: {}", text, group.what);
}

std::string tasks_of(const TriageReport& report, const BlockedGroup& group) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(most_tasks, group.tasks.size()); ++i) {
    const Task& task = group.tasks[i]->task;
    std::string name = name_and_pid(task);
    if (const auto age = nsec_off_cpu(report.facts, task)) name += " for " + seconds(*age);
    names.push_back(std::move(name));
  }
  if (group.tasks.size() > most_tasks) {
    names.push_back(fmt::format("and {} more", group.tasks.size() - most_tasks));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace photon_dmesg
