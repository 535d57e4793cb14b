#include "kernel/waits/spinlock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "kernel/arch/architecture.h"
#include "kernel/arch/release_number.h"
#include "kernel/waits/data_name.h"

namespace photon_dmesg {
namespace {

// kernel/locking/qspinlock.c. That of paravirtual guests calls others, whatever the version.
constexpr std::array<std::string_view, 2> slow_paths = {"native_queued_spin_lock_slowpath",
                                                        "queued_spin_lock_slowpath"};

constexpr std::size_t rdi = 7;  // by x86's register numbers

// The word's parts, where there are fewer than 16384 CPUs.
constexpr std::uint32_t locked_bits = 0xff;
constexpr std::uint32_t pending_bits = 0xff00;
constexpr std::uint32_t pending = 0x100;
constexpr unsigned tail_shift = 18;

bool is_taken(std::uint32_t word) {
  const std::uint32_t locked = word & locked_bits;
  const std::uint32_t waits = word & pending_bits;
  return word != 0 && locked <= 1 && (waits == 0 || waits == pending);
}

bool is_in_slow_path(const Vcpu& vcpu, const Trace& trace) {
  if (trace.frames.empty() || !trace.frames.front().place) return false;
  const Frame& frame = trace.frames.front();
  return frame.address == vcpu.x86.rip &&
         std::find(slow_paths.begin(), slow_paths.end(), frame.place->symbol) != slow_paths.end();
}

}  // namespace

std::optional<SpinLock> find_spinlock(const GuestKernel& kernel, const CodeMap& code,
                                      const Vcpu& vcpu, const Trace& trace) {
  const KernelMemory& memory = kernel.memory();
  const auto address = vcpu.x86.general[rdi];
  if (!address || *address % sizeof(std::uint32_t) != 0 || !is_in_slow_path(vcpu, trace) ||
      !memory.tables().architecture().is_kernel_pointer(*address)) {
    return std::nullopt;
  }
  const auto holders =
      std::count(vcpu.x86.general.begin(), vcpu.x86.general.end(), std::optional(*address));
  const bool has_tracepoint = release_number(kernel.banner().release) >= ReleaseNumber{5, 19};
  if (has_tracepoint && holders < 2) return std::nullopt;
  const auto word = memory.read_unsigned(GuestVirtual{*address}, sizeof(std::uint32_t));
  if (!word || !is_taken(static_cast<std::uint32_t>(*word))) return std::nullopt;
  const GuestVirtual lock{*address};
  return SpinLock{lock, static_cast<std::uint32_t>(*word), name_of_data(code, lock)};
}

std::string describe(const SpinLock& lock) {
  return "spinlock " + lock.name.value_or(fmt::format("{}", lock.address));
}

std::string describe_word(const SpinLock& lock) {
  std::string text =
      fmt::format("{:#x}: {}", lock.word, (lock.word & locked_bits) != 0 ? "held" : "free");
  if ((lock.word & pending_bits) != 0) text += ", one CPU waits";
  const std::uint32_t tail = lock.word >> tail_shift;
  if (tail != 0) text += fmt::format(", CPU {} was the last to queue for it", tail - 1);
  return text;
}

}  // namespace photon_dmesg
