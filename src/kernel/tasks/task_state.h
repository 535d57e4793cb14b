#pragma once

#include <cstdint>
#include <string_view>

namespace photon_dmesg {

// What a task's state words mean, which has changed: bits are #defines, so that no debug
// information tells them (include/linux/sched.h).
struct TaskStates {
  std::uint32_t parked = 0;   // TASK_PARKED
  std::uint32_t dead = 0;     // TASK_DEAD: it has exited, and never runs again
  std::uint32_t rt_lock = 0;  // TASK_RTLOCK_WAIT: a spinlock of PREEMPT_RT, shown as D
  std::uint32_t frozen = 0;   // TASK_FROZEN
  // PF_FROZEN, in its flags, where no state says so.
  std::uint32_t frozen_flag = 0;
};

// Those of the kernel `release`, as `uname -r` has it.
[[nodiscard]] TaskStates states_of(std::string_view release);

// The letter that ps and the kernel's traces show: R S D T t X Z P I. `state` is task_struct's
// __state or state, `exit_state` its exit_state, 0 where that is not known. I is an idle kernel
// thread, which waits as D does and counts for nothing.
[[nodiscard]] char state_letter(const TaskStates& states, std::uint32_t state,
                                std::uint32_t exit_state);

}  // namespace photon_dmesg
