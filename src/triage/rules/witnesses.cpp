#include "triage/rules/witnesses.h"

#include <fmt/format.h>

#include <utility>

#include "triage/rules/frames.h"

namespace photon_dmesg {

Witness witness_of(const Reading& reading) {
  return {
      .what = reading.name, .value = fmt::format("{}", reading.value), .address = reading.address};
}

Witness witness_of(const Waiting& waiting, const Task& task) {
  std::string what =
      fmt::format("{} waits for {}", name_and_pid(task), describe_object(waiting.wait));
  if (waiting.owner) {
    what += fmt::format(", whose {} is {}",
                        waiting.wait.owner_is_certain ? "owner" : "last known reader",
                        name_and_pid(*waiting.owner));
  }
  return {.what = std::move(what), .address = waiting.wait.object};
}

TaskName name_of_task(const Task& task) {
  return {task.pid, task.comm};
}

std::string where_it_spins(const VcpuActivity& vcpu) {
  const std::string culprit = culprit_of(vcpu.trace);
  std::string text = culprit.empty() ? "" : " in " + culprit;
  if (vcpu.spins_on) {
    text = fmt::format(" spins on {}{}", describe(*vcpu.spins_on), text);
  } else if (!culprit.empty() && spins_on_lock(vcpu.trace)) {
    text = " spins on a lock" + text;
  }
  return text.empty() ? "" : ":" + text;
}

void add_spinlock(const VcpuActivity& vcpu, Finding& finding) {
  if (!vcpu.spins_on) return;
  finding.object = describe(*vcpu.spins_on);
  finding.evidence.push_back({.what = finding.object,
                              .value = describe_word(*vcpu.spins_on),
                              .address = vcpu.spins_on->address});
}

std::string seconds(std::uint64_t nsec) {
  constexpr std::uint64_t tenth = nsec_per_second / 10;
  const std::uint64_t tenths = (nsec + tenth / 2) / tenth;
  return fmt::format("{}.{} s", tenths / 10, tenths % 10);
}

std::optional<std::uint64_t> begin_of(std::uint64_t now_nsec, std::optional<std::uint64_t> age) {
  if (!age || *age > now_nsec) return std::nullopt;
  return now_nsec - *age;
}

}  // namespace photon_dmesg
