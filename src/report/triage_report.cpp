#include "report/triage_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "report/time_format.h"
#include "report/triage_timeline.h"
#include "triage/rules/frames.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// A dead kernel's place and time belong to what it died of.
bool is_death(const Finding& finding) {
  return finding.kind == FindingKind::Panic || finding.kind == FindingKind::Oops;
}

std::string joined(const std::vector<Witness>& witnesses) {
  std::vector<std::string> texts;
  texts.reserve(witnesses.size());
  for (const Witness& witness : witnesses) texts.push_back(describe(witness));
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::string describe_tasks(const std::vector<AffectedTask>& tasks) {
  constexpr std::size_t most = 6;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(tasks.size(), most); ++i) {
    names.push_back(describe(tasks[i].name));
  }
  if (tasks.size() > most) names.push_back(fmt::format("and {} more", tasks.size() - most));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string describe_guest(const TriageReport& report) {
  const GuestInfo& guest = *report.guest;
  std::string text = guest.release;
  if (guest.identity.hostname) text += fmt::format(", {}", *guest.identity.hostname);
  if (guest.build_id) text += fmt::format(", build-id {}", *guest.build_id);
  if (const auto& tainted = report.facts.panic.tainted) {
    const std::string letters = taint_letters(tainted->value);
    text += letters.empty() ? ", not tainted" : fmt::format(", tainted {}", letters);
  }
  text += report.modules.empty() ? ", no modules"
                                 : fmt::format(", {} module{}", report.modules.size(),
                                               report.modules.size() == 1 ? "" : "s");
  return text + fmt::format(", {} vCPU{}", guest.vcpus, guest.vcpus == 1 ? "" : "s");
}

std::string describe_time(const TriageReport& report) {
  std::vector<std::string> parts;
  if (report.guest && report.guest->clock) {
    const ClockHistory& clock = *report.guest->clock;
    parts.push_back(fmt::format("booted {}", utc_time(clock.boot())));
    parts.push_back(fmt::format("stopped {}", utc_time(clock.clock().last_update_nsec)));
  }
  const std::uint64_t now = report.facts.time.now_nsec;
  if (now != 0) parts.push_back(fmt::format("up {}", seconds(now)));
  if (const auto last = report.facts.last_record_nsec) {
    parts.push_back(fmt::format("last message at {}", exact_seconds(*last)));
    if (now > *last) parts.push_back(fmt::format("silent for {}", seconds(now - *last)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Letters that come first are those that matter.
std::string describe_task_counts(const GuestFacts& facts) {
  std::map<char, std::size_t> counts;
  std::optional<std::uint64_t> longest;
  for (const TaskActivity& activity : facts.tasks) {
    ++counts[activity.task.state];
    if (activity.task.state != 'D' || activity.task.is_frozen) continue;
    const auto age = nsec_off_cpu(facts, activity.task);
    if (age) longest = std::max(longest.value_or(0), *age);
  }
  std::string text = fmt::format("{}:", facts.tasks.size());
  std::size_t told = 0;
  for (const auto& [state, count] : counts) {
    text += fmt::format("{} {} {}", told++ == 0 ? "" : ",", count, state);
  }
  if (!counts.contains('D')) return text + "; none in D";
  return longest ? text + fmt::format("; the longest in D for {}", seconds(*longest)) : text;
}

std::string describe_memory(const MemoryUse& memory) {
  std::vector<std::string> parts;
  if (memory.free_pages && memory.total_pages) {
    parts.push_back(fmt::format("{} of {} MiB free", memory.mib(memory.free_pages->value),
                                memory.mib(memory.total_pages->value)));
  }
  if (memory.oom_kills) parts.push_back(fmt::format("{} OOM kills", *memory.oom_kills));
  if (memory.load) {
    constexpr double fixed_one = 2048;  // FIXED_1
    const auto& load = *memory.load;
    parts.push_back(fmt::format(
        "load {:.2f} {:.2f} {:.2f}", static_cast<double>(load[0]) / fixed_one,
        static_cast<double>(load[1]) / fixed_one, static_cast<double>(load[2]) / fixed_one));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string describe_log(const TriageReport::Log& log) {
  if (log.records == 0) return {};
  return fmt::format("{} records, {} to {}", log.records, log.first_seq.value_or(0),
                     log.last_seq.value_or(0));
}

}  // namespace

std::string said_of(const Finding& finding) {
  std::string text = finding.summary;
  if (!is_death(finding)) return text;
  if (finding.cpu) text += fmt::format(", on CPU {}", *finding.cpu);
  if (finding.task) text += fmt::format(" in {}", describe(*finding.task));
  if (finding.since_nsec) {
    text += fmt::format(", {:.3f} s after boot", static_cast<double>(*finding.since_nsec) / 1e9);
  }
  return text;
}

std::string headline(const Finding& finding) {
  return fmt::format("{} ({})  {}", title_of(finding.kind), name_of(finding.grade),
                     said_of(finding));
}

std::string headline(const TriageReport& report) {
  if (!report.verdict.findings.empty()) return headline(report.verdict.findings.front());
  return report.not_read.empty() ? "NOTHING WRONG FOUND"
                                 : "NOTHING WRONG FOUND in what could be read";
}

std::vector<TriageRow> rows_of(const Finding& finding) {
  std::vector<TriageRow> rows;
  if (!finding.cause.empty()) {
    const bool names_task =
        finding.task && !is_death(finding) && finding.kind != FindingKind::Deadlock;
    rows.push_back({"cause", names_task
                                 ? fmt::format("{}: {}", describe(*finding.task), finding.cause)
                                 : finding.cause});
  }
  if (finding.since_nsec && !is_death(finding)) {
    rows.push_back({"since", fmt::format("{} after boot", exact_seconds(*finding.since_nsec))});
  }
  if (!finding.evidence.empty()) rows.push_back({"evidence", joined(finding.evidence)});
  if (!finding.against.empty()) rows.push_back({"against", joined(finding.against)});
  if (finding.tasks.size() > 1) rows.push_back({"tasks", describe_tasks(finding.tasks)});
  for (const std::string& note : finding.notes) rows.push_back({"note", note});
  return rows;
}

std::string doing_of(const TriageReport& report, const VcpuActivity& vcpu) {
  const bool is_dead = !report.verdict.findings.empty() &&
                       report.verdict.findings.front().kind == FindingKind::Panic;
  const std::string whose = vcpu.task ? name_and_pid(*vcpu.task) : "an unknown task";
  if (!vcpu.runs_kernel) return "not in this kernel";
  if (is_dead && is_in_panic(vcpu.trace)) return fmt::format("in panic, {}", whose);
  if (is_dead && is_stopped_by_panic(vcpu.trace)) {
    const bool was_idle = vcpu.task && vcpu.task->pid == 0;
    return fmt::format("stopped by the panic, had been {}: consequence",
                       was_idle ? "idle" : "in " + whose);
  }
  if (is_idle(vcpu)) return "idle";
  if (vcpu.in_user_mode) return fmt::format("{} in user mode", whose);
  const std::string doing = summary_of(vcpu.trace);
  return doing.empty() ? whose : fmt::format("{}: {}", whose, doing);
}

std::vector<TriageRow> guest_rows(const TriageReport& report) {
  std::vector<TriageRow> rows;
  const auto add = [&](std::string label, std::string text) {
    if (!text.empty()) rows.push_back({std::move(label), std::move(text)});
  };
  if (report.guest) add("guest", describe_guest(report));
  add("time", describe_time(report));
  for (const std::string& circumstance : report.verdict.circumstances) add("state", circumstance);
  for (const VcpuActivity& vcpu : report.facts.vcpus) {
    add(fmt::format("vCPU {}", vcpu.vcpu), doing_of(report, vcpu));
  }
  if (!report.facts.tasks.empty()) add("tasks", describe_task_counts(report.facts));
  add("memory", describe_memory(report.facts.memory));
  add("log", describe_log(report.log));
  add("read from", fmt::format("{}", fmt::join(report.read_from, ", ")));
  add("not read", fmt::format("{}", fmt::join(report.not_read, ", ")));
  return rows;
}

}  // namespace photon_dmesg
