#pragma once

#include <vector>

#include "triage/finding.h"
#include "triage/rules/guest_facts.h"

// The rules, each in a file of its own: pure functions of what is known of a guest. Each judges as
// if it were the only one; what is the consequence of what, verdict.h decides.
namespace photon_dmesg {

// The kernel has panicked. Weak if the log alone says so and the kernel denies it.
[[nodiscard]] std::vector<Finding> find_panic(const GuestFacts& facts);
// It has survived exceptions of its own.
[[nodiscard]] std::vector<Finding> find_oops(const GuestFacts& facts);
// Tasks wait for each other's locks in a circle.
[[nodiscard]] std::vector<Finding> find_deadlocks(const GuestFacts& facts);
// CPUs have taken no interrupt for seconds.
[[nodiscard]] std::vector<Finding> find_hard_lockups(const GuestFacts& facts);
// Whether the CPU of `health` is one of these.
[[nodiscard]] bool is_locked_hard(const GuestFacts& facts, const CpuHealth& health);
// CPUs take interrupts, and have not left the kernel's code to other tasks for seconds.
[[nodiscard]] std::vector<Finding> find_soft_lockups(const GuestFacts& facts);
// Disks have not answered for seconds, or tasks have waited for them so long.
[[nodiscard]] std::vector<Finding> find_stalled_storage(const GuestFacts& facts);
// Tasks wait for a file system that is frozen.
[[nodiscard]] std::vector<Finding> find_frozen_file_systems(const GuestFacts& facts);
// Tasks have been waiting for locks and other things for seconds.
[[nodiscard]] std::vector<Finding> find_blocked_tasks(const GuestFacts& facts);
// An RCU grace period does not end.
[[nodiscard]] std::vector<Finding> find_rcu_stall(const GuestFacts& facts);
// Works wait, and no worker begins them.
[[nodiscard]] std::vector<Finding> find_stalled_workers(const GuestFacts& facts);
// Workers have had a CPU for one and the same work for seconds.
[[nodiscard]] std::vector<Finding> find_busy_workers(const GuestFacts& facts);
// Tasks that could run get no CPU.
[[nodiscard]] std::vector<Finding> find_starved_tasks(const GuestFacts& facts);
// File systems have stopped at an error, or have noted one.
[[nodiscard]] std::vector<Finding> find_stopped_file_systems(const GuestFacts& facts);
// Processes were killed for want of memory, or there is hardly any left.
[[nodiscard]] std::vector<Finding> find_memory_shortage(const GuestFacts& facts);

}  // namespace photon_dmesg
