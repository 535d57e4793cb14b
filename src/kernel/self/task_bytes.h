#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/little_endian.h"
#include "kernel/self/task_ring.h"

namespace photon_dmesg {

// A place in a task, counted from `task_reach` bytes before its list node.
using TaskPlace = std::uint64_t;

// What lies around a task's list node.
struct TaskBytes {
  GuestVirtual node;
  std::vector<std::byte> bytes;  // twice task_reach

  [[nodiscard]] std::uint64_t at(TaskPlace place,
                                 std::uint64_t width = sizeof(std::uint64_t)) const {
    return load_unsigned(std::span(bytes).subspan(place, width));
  }
};

// The places from `first` to before `end`, `step` apart, at which holds(task, place) for every
// task.
template <typename Holds>
std::vector<TaskPlace> places_that_fit(std::span<const TaskBytes> tasks, TaskPlace first,
                                       TaskPlace end, std::uint64_t step, Holds holds) {
  std::vector<TaskPlace> found;
  for (TaskPlace place = first; place < end; place += step) {
    const auto holds_here = [&](const TaskBytes& task) { return holds(task, place); };
    if (std::all_of(tasks.begin(), tasks.end(), holds_here)) found.push_back(place);
  }
  return found;
}

// The only one of `places`.
inline std::optional<TaskPlace> only(const std::vector<TaskPlace>& places) {
  return places.size() == 1 ? std::optional(places.front()) : std::nullopt;
}

}  // namespace photon_dmesg
