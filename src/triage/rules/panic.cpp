#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// The vCPU that is in panic(): by the kernel's variable, else by what is on its stack.
const VcpuActivity* panicking_vcpu(const GuestFacts& facts) {
  if (const auto cpu = facts.panic.cpu()) return vcpu_of(facts, *cpu);
  const auto found = std::find_if(facts.vcpus.begin(), facts.vcpus.end(),
                                  [](const VcpuActivity& vcpu) { return is_in_panic(vcpu.trace); });
  return found == facts.vcpus.end() ? nullptr : &*found;
}

void add_vcpu(const VcpuActivity& vcpu, Finding& finding) {
  finding.cpu = vcpu.cpu;
  // A trace that ends before panic() does not tell what led there.
  const bool tells_cause = vcpu.trace.is_complete() || is_in_panic(vcpu.trace);
  finding.cause = tells_cause ? fault_of(vcpu.trace) : std::string();
  if (!vcpu.task) return;
  finding.task = name_of_task(*vcpu.task);
  const bool was_interrupted = std::any_of(
      vcpu.trace.frames.begin(), vcpu.trace.frames.end(),
      [](const Frame& frame) { return frame.is_reliable && frame.stack == StackKind::Irq; });
  if (was_interrupted) {
    finding.notes.push_back(fmt::format("it came out of an interrupt: {} only ran there then",
                                        describe(*finding.task)));
  }
}

void add_variables(const PanicState& panic, Finding& finding) {
  if (panic.panic_cpu && panic.cpu()) finding.evidence.push_back(witness_of(*panic.panic_cpu));
  if (panic.oops_in_progress && panic.oops_in_progress->value != 0) {
    finding.evidence.push_back(witness_of(*panic.oops_in_progress));
  }
  if (!panic.die_counter) return;
  Witness oopses = witness_of(*panic.die_counter);
  if (panic.die_counter->value == 0) oopses.what = "no oops: " + oopses.what;
  finding.evidence.push_back(std::move(oopses));
}

std::string message_of(const VcpuActivity* vcpu) {
  const std::string culprit = vcpu != nullptr ? culprit_of(vcpu->trace) : std::string();
  return culprit.empty() ? "the log does not say why" : "in " + culprit;
}

}  // namespace

std::vector<Finding> find_panic(const GuestFacts& facts) {
  const VcpuActivity* vcpu = panicking_vcpu(facts);
  const std::vector<Finding> logged = logged_of(facts, FindingKind::Panic);
  const bool is_logged = !logged.empty();
  // A number that is no CPU's is a damaged variable.
  const bool says_cpu = facts.panic.cpu().has_value() && vcpu != nullptr;
  const bool shows_panic = vcpu != nullptr && is_in_panic(vcpu->trace);
  if (!says_cpu && !shows_panic && !is_logged) return {};
  Finding finding;
  if (is_logged) finding = logged.front();
  finding.kind = FindingKind::Panic;
  const std::array witnesses = {says_cpu, shows_panic, is_logged};
  finding.grade = std::ranges::count(witnesses, true) > 1 ? Grade::Certain : Grade::Strong;
  // Its words alone may be anybody's: the kernel logs names that programs choose.
  if (denies_panic(facts)) finding.grade = Grade::Weak;
  if (!is_logged) finding.summary = message_of(vcpu);
  if (vcpu != nullptr && (says_cpu || shows_panic)) {
    const std::string logged_cause = finding.cause;
    add_vcpu(*vcpu, finding);
    if (finding.cause.empty()) finding.cause = logged_cause;
  }
  add_variables(facts.panic, finding);
  if (facts.panic.panic_cpu && !facts.panic.cpu() && is_logged) {
    finding.against.push_back(witness_of(*facts.panic.panic_cpu));
  }
  return {finding};
}

}  // namespace photon_dmesg
