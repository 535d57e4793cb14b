#include "kernel/tasks/task_state.h"

#include <algorithm>
#include <array>
#include <bit>

#include "kernel/arch/release_number.h"

namespace photon_dmesg {
namespace {

struct Versions {
  ReleaseNumber since;
  TaskStates states;
};

// The newest first.
constexpr std::array versions = {
    Versions{{6, 1}, {0x40, 0x80, 0x1000, 0x8000, 0}},
    Versions{{5, 16}, {0x40, 0x80, 0x1000, 0, 0x10000}},
    Versions{{4, 14}, {0x40, 0x80, 0, 0, 0x10000}},
    Versions{{0, 0}, {0x200, 0x40, 0, 0, 0x10000}},
};

constexpr std::uint32_t uninterruptible = 0x2;
constexpr std::uint32_t idle = 0x402;            // TASK_UNINTERRUPTIBLE | TASK_NOLOAD
constexpr std::uint32_t reported = 0x3f;         // the bits below have had their places since 2.6
constexpr std::string_view letters = "RSDTtXZ";  // by the highest of them

}  // namespace

TaskStates states_of(std::string_view release) {
  const ReleaseNumber number = release_number(release);
  return std::find_if(versions.begin(), versions.end(),
                      [&](const Versions& line) { return line.since <= number; })
      ->states;
}

char state_letter(const TaskStates& states, std::uint32_t state, std::uint32_t exit_state) {
  if (exit_state == 0) {
    if ((state & idle) == idle) return 'I';
    if ((state & states.rt_lock) != 0 || (state & states.frozen) != 0) state = uninterruptible;
    if ((state & states.parked) != 0) return 'P';
    if ((state & states.dead) != 0) return 'Z';  // one that nobody waits for is in no list
  }
  return letters[static_cast<std::size_t>(std::bit_width((state | exit_state) & reported))];
}

}  // namespace photon_dmesg
