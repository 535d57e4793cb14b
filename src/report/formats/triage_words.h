#pragma once

#include <string>

#include "report/blocked_groups.h"
#include "report/triage_report.h"

// What markdown and html say in the same words.
namespace photon_dmesg {

// More of each say nothing new, and make a page that no browser likes.
inline constexpr std::size_t most_groups = 50;  // of blocked tasks
inline constexpr std::size_t most_tasks = 50;   // in a group

// "panic_cpu=1 (at 0xffffffff82a1b2c0)".
[[nodiscard]] std::string describe_with_place(const Witness& witness);

// "vCPU 0 (the kernel's CPU 1): idle".
[[nodiscard]] std::string heading_of(const TriageReport& report, const VcpuActivity& vcpu);

// "3 tasks, for up to 8.2 s: mutex lab_a [lab]".
[[nodiscard]] std::string heading_of(const TriageReport& report, const BlockedGroup& group);

// "sh (146) for 8.2 s, cat (154) for 6.1 s, and 3 more".
[[nodiscard]] std::string tasks_of(const TriageReport& report, const BlockedGroup& group);

}  // namespace photon_dmesg
