#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/tasks/task_state.h"

namespace photon_dmesg {

// A thread, as its task_struct describes it. What is not known is absent.
struct Task {
  GuestVirtual address;
  std::int32_t pid = 0;   // of the thread
  std::int32_t tgid = 0;  // of its process
  std::optional<std::int32_t> ppid;
  std::string comm;
  char state = '?';        // as ps shows it: see state_letter()
  bool is_frozen = false;  // by a cgroup or for a suspend of the guest: then in D as well
  std::optional<std::uint32_t> cpu;
  bool on_cpu = false;  // it is running, or is being switched: the saved stack pointer is old
  std::optional<bool> kernel_thread;
  std::optional<GuestVirtual> stack;  // the lowest address of its kernel stack
  std::optional<GuestVirtual> saved_sp;
  // What arm64 saves beside it; x86-64 has these on the stack.
  std::optional<std::uint64_t> saved_fp;
  std::optional<GuestVirtual> saved_ip;

  // Nanoseconds since boot: when it was made, by the monotonic clock.
  std::optional<std::uint64_t> start_nsec;
  // The others by the run queues' clock, from which it parts by seconds in days.
  std::optional<std::uint64_t> last_ran_nsec;  // when it last got, or was last seen on, a CPU
  std::optional<std::uint64_t> arrived_nsec;   // when it last got a CPU
  std::optional<std::uint64_t> queued_nsec;    // runnable without a CPU since then
  // The first two are by the clock of its CPU's tasks, as nothing tells by how much that lags: it
  // stands still while interrupts or the host have the CPU, so both were later, by up to all the
  // time that these have had since boot.
  bool by_task_clock = false;
};

// "sh (123)".
[[nodiscard]] std::string name_and_pid(const Task& task);

// Bytes of a kernel stack (THREAD_SIZE without KASAN), where pages are not larger.
inline constexpr std::uint64_t kernel_stack_size = 16384;
// Of that kernel's, whatever its pages are.
[[nodiscard]] std::uint64_t kernel_stack_size_of(const KernelMemory& memory);

// Reads task_structs, whose members it has looked up once.
class TaskReader {
 public:
  // `kernel` must outlive this object. Throws Error(UnusableInput) if the types don't tell where a
  // task's pid and name are.
  TaskReader(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus);

  // Nothing if no task_struct can be read at `address`.
  [[nodiscard]] std::optional<Task> read(GuestVirtual address) const;
  // What a task is called, if that can be read where all of its task_struct can't: nothing else is
  // known of it. Nothing if what is there is no task's pid and name.
  [[nodiscard]] std::optional<Task> read_name(GuestVirtual address) const;

 private:
  struct Fields {
    Field pid;
    Field tgid;
    Field comm;
    std::optional<Field> state;
    std::optional<Field> exit_state;
    std::optional<Field> flags;
    std::optional<Field> parent;
    std::optional<Field> cpu;
    std::optional<Field> on_cpu;
    std::optional<Field> stack;
    std::optional<Field> sp;
    std::optional<Field> fp;
    std::optional<Field> ip;
    std::optional<Field> start;
    std::optional<Field> last_arrival;
    std::optional<Field> last_queued;
    std::optional<Field> exec_start;
    std::optional<Field> runtime;
    std::optional<Field> runtime_when_picked;
  };

  void read_cpu(Task& task, std::span<const std::byte> bytes) const;
  void read_times(Task& task, std::span<const std::byte> bytes) const;
  [[nodiscard]] std::optional<std::uint64_t> ran_since_picked(
      std::span<const std::byte> bytes) const;
  void read_times_without_arrival(Task& task, std::uint64_t counted,
                                  std::optional<std::uint64_t> ran) const;
  [[nodiscard]] std::uint64_t left_at(const Task& task, std::uint64_t arrived, std::uint64_t ran,
                                      std::uint64_t counted) const;

  const KernelMemory& memory_;
  TaskStates states_;
  Fields fields_;
  std::uint64_t size_ = 0;  // bytes that hold them all
  // Until 4.8 thread_info lies at the bottom of the stack, and has the CPU.
  std::optional<Field> cpu_on_stack_;
  // Of a CPU: its tasks' clock, and how long interrupts and the host had it, since boot.
  struct Clock {
    std::uint64_t task_nsec = 0;
    std::uint64_t taken_nsec = 0;
  };
  std::map<std::uint32_t, Clock> clocks_;
};

}  // namespace photon_dmesg
