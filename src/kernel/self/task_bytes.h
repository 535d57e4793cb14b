#pragma once

#include <cstddef>
#include <cstdint>
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

}  // namespace photon_dmesg
