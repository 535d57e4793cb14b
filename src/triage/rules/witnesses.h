#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/health/reading.h"
#include "kernel/waits/activity.h"
#include "triage/finding.h"

// How facts become the parts of findings.
namespace photon_dmesg {

[[nodiscard]] Witness witness_of(const Reading& reading);
// "sh (146) waits for mutex lab_a, whose owner is sh (147)", at the lock.
[[nodiscard]] Witness witness_of(const Waiting& waiting, const Task& task);
[[nodiscard]] TaskName name_of_task(const Task& task);

// What a CPU that does not come back is in: ": spins on spinlock lab_spinlock [lab] in lab_aa", ":
// in lab_spin"; empty if its trace has no such function.
[[nodiscard]] std::string where_it_spins(const VcpuActivity& vcpu);
// The lock that it spins on, if one is known: the finding's object, and its word is evidence.
void add_spinlock(const VcpuActivity& vcpu, Finding& finding);

// Nanoseconds as people read them: "183.0 s".
[[nodiscard]] std::string seconds(std::uint64_t nsec);
// When what has lasted for `age` began; nothing if it is older than the guest.
[[nodiscard]] std::optional<std::uint64_t> begin_of(std::uint64_t now_nsec,
                                                    std::optional<std::uint64_t> age);

constexpr std::uint64_t nsec_per_second = 1'000'000'000;
// Less is nothing to speak of: every healthy guest has such.
constexpr std::uint64_t least_age = 5 * nsec_per_second;
// More can't be but a fault.
constexpr std::uint64_t certain_age = 10 * nsec_per_second;

}  // namespace photon_dmesg
