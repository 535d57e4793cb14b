#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace photon_dmesg {

// Which tasks and traces photon-dmesg bt and photon-dmesg ps show, and how.
struct TaskOptions {
  bool all = false;                 // bt: every task beside the vCPUs
  bool blocked = false;             // only tasks in state D
  std::vector<std::int32_t> pids;   // only these, of threads or of processes
  std::vector<std::string> comms;   // only tasks with these names; * and ? stand for any letters
  std::vector<std::uint32_t> cpus;  // only what is on these of the kernel's CPUs
  bool fold = true;                 // bt: tasks with the same trace are shown once
  bool lines = false;               // bt: with the source of each frame
  bool tree = false;                // ps: children below their parents
  std::string sort = "pid";         // ps: one of task_orders

  // Whether single tasks were asked for.
  [[nodiscard]] bool selects() const { return blocked || !pids.empty() || !comms.empty(); }
};

// What ps can be sorted by.
inline const std::vector<std::string> task_orders = {"pid", "time", "state", "cpu", "comm"};

void add_bt_options(CLI::App& command, TaskOptions& options);
void add_ps_options(CLI::App& command, TaskOptions& options);

}  // namespace photon_dmesg
