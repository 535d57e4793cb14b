#include "kernel/health/panic_state.h"

#include <limits>
#include <string_view>

#include "kernel/arch/release_number.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t int_size = sizeof(std::uint32_t);

// The number of SYSTEM_RUNNING: a state was added before it in 4.13 (SCHEDULING) and in 5.16
// (FREEING_INITMEM). Behind it come HALT, POWER_OFF, RESTART, and SUSPEND since 4.18.
std::uint64_t running_state(const ReleaseNumber& release) {
  if (release < ReleaseNumber{4, 13}) return 1;
  return release < ReleaseNumber{5, 16} ? 2 : 3;
}

std::optional<SystemState> read_system_state(const GuestKernel& kernel) {
  constexpr std::uint64_t restart_behind = 3;
  constexpr std::uint64_t suspend_behind = 4;
  const auto state = read_variable(kernel, "system_state", int_size);
  if (!state) return std::nullopt;
  const std::uint64_t running = running_state(release_number(kernel.banner().release));
  if (state->value < running) return SystemState::Booting;
  const std::uint64_t behind = state->value - running;
  if (behind == 0) return SystemState::Running;
  if (behind <= restart_behind) return SystemState::ShuttingDown;
  return behind == suspend_behind ? std::optional(SystemState::Suspending) : std::nullopt;
}

}  // namespace

std::string_view name_of(SystemState state) {
  switch (state) {
    case SystemState::Booting:
      return "booting";
    case SystemState::ShuttingDown:
      return "shutting_down";
    case SystemState::Suspending:
      return "suspending";
    case SystemState::Running:
      break;
  }
  return "running";
}

std::optional<std::uint32_t> PanicState::cpu() const {
  constexpr std::uint64_t none = std::numeric_limits<std::uint32_t>::max();  // PANIC_CPU_INVALID
  if (!panic_cpu || panic_cpu->value == none) return std::nullopt;
  return static_cast<std::uint32_t>(panic_cpu->value);
}

PanicState read_panic_state(const GuestKernel& kernel) {
  PanicState state;
  state.panic_cpu = read_variable(kernel, "panic_cpu", int_size);
  state.oops_in_progress = read_variable(kernel, "oops_in_progress", int_size);
  state.die_counter = read_variable(kernel, "die_counter", int_size);
  state.tainted = read_variable(kernel, "tainted_mask", sizeof(std::uint64_t));
  state.system_state = read_system_state(kernel);
  return state;
}

std::string taint_letters(std::uint64_t mask) {
  constexpr std::string_view letters = "PFSRMBUDAWCIOELKXTNJ";
  std::string text;
  for (std::size_t bit = 0; bit < letters.size(); ++bit) {
    if ((mask >> bit & 1U) != 0) text += letters[bit];
  }
  return text;
}

}  // namespace photon_dmesg
