#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/memory/kernel_image.h"

namespace photon_dmesg {

// The list of all processes, found by its form alone: without symbols, without types.
struct TaskRing {
  // The nodes (task_struct.tasks), in order; the first is that of the first CPU's idle task, which
  // lies in the image.
  std::vector<GuestVirtual> nodes;
  // From a node to its task's name (task_struct.comm); may be negative, modulo 2^64.
  std::uint64_t comm = 0;
};

inline constexpr std::size_t comm_bytes = 16;

// No part of a task_struct that is looked for begins or ends farther from its list node.
inline constexpr std::uint64_t task_reach = 8192;

// Looks for the idle task by its name, and near that for the node of a list that goes around, both
// ways, through tasks only, as those of every kernel do: "kthreadd" is among the first. Nothing if
// there is none, or more than one.
[[nodiscard]] std::optional<TaskRing> find_task_ring(const KernelImage& image,
                                                     Diagnostics& diagnostics);

}  // namespace photon_dmesg
