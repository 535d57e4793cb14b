#include "kernel/tasks/task_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t kernel_thread_flag = 0x00200000;  // PF_KTHREAD

std::uint64_t end_of(const Field& field) {
  return field.offset + field.size;
}

std::uint64_t end_of(const std::optional<Field>& field) {
  return field ? end_of(*field) : 0;
}

std::int32_t signed_number(std::uint64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
}

std::string text_in(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    if (byte == std::byte{0}) break;
    text.push_back(std::to_integer<char>(byte));
  }
  return text;
}

}  // namespace

std::string name_and_pid(const Task& task) {
  return fmt::format("{} ({})", task.comm, task.pid);
}

std::uint64_t kernel_stack_size_of(const KernelMemory& memory) {
  const std::uint64_t page = std::uint64_t{1} << memory.tables().form().page_shift;
  return std::max(kernel_stack_size, page);
}

TaskReader::TaskReader(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus)
    : memory_(kernel.memory()),
      states_(states_of(kernel.banner().release)),
      fields_{types.field("task_struct.pid"), types.field("task_struct.tgid"),
              types.field("task_struct.comm"),
              types.find_any({"task_struct.__state", "task_struct.state"}),
              types.find("task_struct.exit_state"), types.find("task_struct.flags"),
              types.find("task_struct.real_parent"),
              // Since 5.16, and before.
              types.find_any({"task_struct.thread_info.cpu", "task_struct.cpu"}),
              types.find("task_struct.on_cpu"), types.find("task_struct.stack"),
              types.find_any({"task_struct.thread.sp", "task_struct.thread.cpu_context.sp"}),
              types.find("task_struct.thread.cpu_context.fp"),
              types.find("task_struct.thread.cpu_context.pc"),
              types.find_any({"task_struct.start_time", "task_struct.real_start_time"}),
              types.find("task_struct.sched_info.last_arrival"),
              types.find("task_struct.sched_info.last_queued"),
              types.find("task_struct.se.exec_start"),
              types.find("task_struct.se.sum_exec_runtime"),
              types.find("task_struct.se.prev_sum_exec_runtime")} {
  if (!fields_.cpu) cpu_on_stack_ = types.find("thread_info.cpu");
  const Fields& all = fields_;
  size_ = std::max({end_of(all.pid), end_of(all.tgid), end_of(all.comm), end_of(all.state),
                    end_of(all.exit_state), end_of(all.flags), end_of(all.parent), end_of(all.cpu),
                    end_of(all.on_cpu), end_of(all.stack), end_of(all.sp), end_of(all.fp),
                    end_of(all.ip), end_of(all.start), end_of(all.last_arrival),
                    end_of(all.last_queued), end_of(all.exec_start), end_of(all.runtime),
                    end_of(all.runtime_when_picked)});
  for (const Cpu& cpu : cpus.all()) {
    if (cpu.clock_nsec && cpu.clock_task_nsec && *cpu.clock_task_nsec <= *cpu.clock_nsec) {
      clocks_[cpu.number] = {*cpu.clock_task_nsec, *cpu.clock_nsec - *cpu.clock_task_nsec};
    }
  }
}

std::optional<Task> TaskReader::read(GuestVirtual address) const {
  std::vector<std::byte> bytes(size_);
  if (!memory_.read(address, bytes)) return std::nullopt;
  Task task;
  task.address = address;
  task.pid = signed_number(number_in(bytes, fields_.pid).value_or(0));
  task.tgid = signed_number(number_in(bytes, fields_.tgid).value_or(0));
  task.comm = text_in(std::span(bytes).subspan(fields_.comm.offset, fields_.comm.size));
  const auto state = number_in(bytes, fields_.state);
  if (state) {
    task.state =
        state_letter(states_, static_cast<std::uint32_t>(*state),
                     static_cast<std::uint32_t>(number_in(bytes, fields_.exit_state).value_or(0)));
  }
  const auto flags = number_in(bytes, fields_.flags);
  if (flags) task.kernel_thread = (*flags & kernel_thread_flag) != 0;
  task.is_frozen =
      (state.value_or(0) & states_.frozen) != 0 || (flags.value_or(0) & states_.frozen_flag) != 0;
  const auto pointer_in = [&](const std::optional<Field>& field) -> std::optional<GuestVirtual> {
    const auto value = number_in(bytes, field);
    return value && *value != 0 ? std::optional(GuestVirtual{*value}) : std::nullopt;
  };
  task.stack = pointer_in(fields_.stack);
  task.saved_sp = pointer_in(fields_.sp);
  task.saved_fp = number_in(bytes, fields_.fp);
  task.saved_ip = pointer_in(fields_.ip);
  if (const auto parent = pointer_in(fields_.parent)) {
    const auto pid = read_number(memory_, *parent, fields_.tgid);
    if (pid) task.ppid = signed_number(*pid);
  }
  read_cpu(task, bytes);
  read_times(task, bytes);
  return task;
}

std::optional<Task> TaskReader::read_name(GuestVirtual address) const {
  constexpr std::uint64_t most_pids = std::uint64_t{1} << 22;  // PID_MAX_LIMIT
  const auto pid = read_number(memory_, address, fields_.pid);
  const auto name = read_text(memory_, address, fields_.comm);
  if (pid.value_or(0) == 0 || *pid > most_pids || !name || name->empty()) return std::nullopt;
  Task task;
  task.address = address;
  task.pid = signed_number(*pid);
  task.tgid = signed_number(read_number(memory_, address, fields_.tgid).value_or(*pid));
  task.comm = *name;
  return task;
}

void TaskReader::read_cpu(Task& task, std::span<const std::byte> bytes) const {
  auto cpu = number_in(bytes, fields_.cpu);
  if (!cpu && task.stack) cpu = read_number(memory_, *task.stack, cpu_on_stack_);
  if (cpu) task.cpu = static_cast<std::uint32_t>(*cpu);
  task.on_cpu = number_in(bytes, fields_.on_cpu).value_or(0) != 0;
}

// What it has run since it was picked for a CPU; nothing if that can't be told.
std::optional<std::uint64_t> TaskReader::ran_since_picked(std::span<const std::byte> bytes) const {
  const auto runtime = number_in(bytes, fields_.runtime);
  const auto before = number_in(bytes, fields_.runtime_when_picked);
  if (!runtime || !before || *before > *runtime) return std::nullopt;
  return *runtime - *before;
}

// When the task, which came to its CPU at `arrived`, left it: not before its time there was last
// counted, at `counted`. The clock that this is noted by stands still while interrupts or the host
// have the CPU, by which it may have been later, but for no longer than it has run there.
std::uint64_t TaskReader::left_at(const Task& task, std::uint64_t arrived, std::uint64_t ran,
                                  std::uint64_t counted) const {
  const auto clock = task.cpu ? clocks_.find(*task.cpu) : clocks_.end();
  if (clock == clocks_.end() || counted > clock->second.task_nsec) return counted;
  return std::clamp(arrived + ran, counted, counted + clock->second.taken_nsec);
}

// Without SCHED_INFO nothing notes when it came to its CPU: then it is what it has run since it was
// picked that tells. As its CPU's tasks' clock lags, both times are taken for as late as they can
// have been, where it is known by how much.
void TaskReader::read_times_without_arrival(Task& task, std::uint64_t counted,
                                            std::optional<std::uint64_t> ran) const {
  task.last_ran_nsec = counted;
  if (ran && *ran <= counted) task.arrived_nsec = counted - *ran;
  if (counted == 0) return;
  const auto clock = task.cpu ? clocks_.find(*task.cpu) : clocks_.end();
  task.by_task_clock = clock == clocks_.end();
  // Else it is by another CPU's clock, or damaged.
  if (task.by_task_clock || counted > clock->second.task_nsec) return;
  *task.last_ran_nsec += clock->second.taken_nsec;
  if (task.arrived_nsec) *task.arrived_nsec += clock->second.taken_nsec;
}

void TaskReader::read_times(Task& task, std::span<const std::byte> bytes) const {
  task.start_nsec = number_in(bytes, fields_.start);
  const auto counted = number_in(bytes, fields_.exec_start);
  const auto arrived = number_in(bytes, fields_.last_arrival);
  const auto ran = ran_since_picked(bytes);
  task.arrived_nsec = arrived;
  task.last_ran_nsec = arrived;
  if (counted && !arrived) {
    read_times_without_arrival(task, *counted, ran);
  } else if (counted) {
    const bool is_known = *arrived != 0 && *counted != 0 && ran;
    const std::uint64_t left = is_known ? left_at(task, *arrived, *ran, *counted) : *counted;
    task.last_ran_nsec = std::max(*arrived, left);
  }
  const auto queued = number_in(bytes, fields_.last_queued);
  if (queued && *queued != 0) task.queued_nsec = queued;
}

}  // namespace photon_dmesg
