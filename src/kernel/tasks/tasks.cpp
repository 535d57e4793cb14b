#include "kernel/tasks/tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"
#include "kernel/tasks/pid_table.h"

namespace photon_dmesg {
namespace {

// No more than the kernel has pids for (PID_MAX_LIMIT), and than twice what its memory has room
// for, by their stacks: the lists of a hostile guest may share their nodes, and have one at every
// byte.
std::size_t most_tasks_in(const KernelMemory& memory) {
  constexpr std::uint64_t most_pids = std::uint64_t{1} << 22;
  constexpr std::uint64_t few = 1024;
  return static_cast<std::size_t>(
      std::min(most_pids, memory.ram_size() / (kernel_stack_size / 2) + few));
}

// The most that one message names.
constexpr std::size_t most_named = 4;

}  // namespace

Tasks::Tasks(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus,
             std::optional<GuestVirtual> init_task, Diagnostics& diagnostics)
    : kernel_(kernel),
      types_(types),
      reader_(kernel, types, cpus),
      nodes_left_(most_tasks_in(kernel.memory())) {
  if (const auto symbol = kernel.find_address("init_task")) init_task = symbol;
  if (!init_task) {
    throw unusable("the tasks can't be listed: no symbol tells where init_task is");
  }
  walk_lists(*init_task, diagnostics);
  add_by_pid(diagnostics);
  warn_of_unreadable(diagnostics);
  std::stable_sort(tasks_.begin(), tasks_.end(),
                   [](const Task& left, const Task& right) { return left.pid < right.pid; });
  make_indices();
}

void Tasks::make_indices() {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    by_address_.emplace(tasks_[i].address.value, i);
    if (tasks_[i].stack) by_stack_.emplace(tasks_[i].stack->value, i);
  }
}

void Tasks::add(GuestVirtual task_struct) {
  if (!known_.insert(task_struct.value).second) return;
  if (const auto task = read_or_count(task_struct)) tasks_.push_back(*task);
}

// A task, or as much of it as can be read, which is counted.
std::optional<Task> Tasks::read_or_count(GuestVirtual task_struct) {
  if (auto task = reader_.read(task_struct)) return task;
  auto named = reader_.read_name(task_struct);
  ++(named ? named_ : lost_);
  return named;
}

void Tasks::warn_of_unreadable(Diagnostics& diagnostics) const {
  if (lost_ > 0) diagnostics.warn_of_lack(fmt::format("{} tasks can't be read", lost_));
  if (named_ > 0) {
    diagnostics.warn_of_lack(
        fmt::format("{} tasks can't be read but for their pids and names", named_));
  }
}

void Tasks::walk_lists(GuestVirtual init_task, Diagnostics& diagnostics) {
  const Field link = types_.field("task_struct.tasks");
  const ListNodes leaders = walk_list(kernel_.memory(), init_task + link.offset, nodes_left_);
  std::vector<std::string> broken;
  if (leaders.broken) broken.push_back("of processes: " + *leaders.broken);
  for (const GuestVirtual node : leaders.nodes) {
    add_threads({node.value - link.offset}, broken);
  }
  is_cut_ = !broken.empty();
  for (std::size_t i = 0; i < std::min(broken.size(), most_named); ++i) {
    diagnostics.warn_of_lack(fmt::format("a list of tasks is damaged, {}", broken[i]));
  }
  if (broken.size() > most_named) {
    diagnostics.warn_of_lack(
        fmt::format("{} more lists of tasks are damaged", broken.size() - most_named));
  }
}

void Tasks::add_threads(GuestVirtual leader, std::vector<std::string>& broken) {
  const KernelMemory& memory = kernel_.memory();
  const auto link = types_.find("task_struct.thread_node");
  const auto head = types_.find("signal_struct.thread_head");
  const auto signal = read_pointer(memory, leader, types_.find("task_struct.signal"));
  if (!link || !head || !signal) return add(leader);
  const ListNodes threads = walk_list(memory, *signal + head->offset, nodes_left_);
  nodes_left_ -= std::min(nodes_left_, threads.nodes.size());
  const bool has_leader = std::find(threads.nodes.begin(), threads.nodes.end(),
                                    leader + link->offset) != threads.nodes.end();
  if (!has_leader) add(leader);
  for (const GuestVirtual node : threads.nodes) add({node.value - link->offset});
  if (threads.broken || !has_leader) {
    broken.push_back(fmt::format("of the threads of the task at {}: {}", leader,
                                 threads.broken.value_or("it does not have the first of them")));
  }
}

void Tasks::add_by_pid(Diagnostics& diagnostics) {
  const auto table = read_pid_table(kernel_, types_);
  if (!table) {
    if (is_cut_) diagnostics.warn_of_lack("there is no second list to take missing tasks from");
    return;
  }
  std::size_t added = 0;
  for (const GuestVirtual address : *table) {
    if (nodes_left_ == 0 || !known_.insert(address.value).second) continue;
    const auto task = read_or_count(address);
    if (!task || task->pid <= 0) continue;
    tasks_.push_back(*task);
    --nodes_left_;
    ++added;
  }
  diagnostics.found({.what = "tasks",
                     .value = fmt::format("{}", tasks_.size()),
                     .how = fmt::format("the lists have {}, the table of pids {}",
                                        tasks_.size() - added, table->size())});
  if (added > 0 && is_cut_) {
    diagnostics.warn(fmt::format(
        "{} tasks that the damaged lists lack are taken from the table of pids", added));
  }
}

const Task* Tasks::find(GuestVirtual task_struct) const {
  const auto found = by_address_.find(task_struct.value);
  return found == by_address_.end() ? nullptr : &tasks_[found->second];
}

const Task* Tasks::find_stack(GuestVirtual address) const {
  const auto above = by_stack_.upper_bound(address.value);
  if (above == by_stack_.begin()) return nullptr;
  const auto& [stack, index] = *std::prev(above);
  return address.value - stack < kernel_stack_size_of(kernel_.memory()) ? &tasks_[index] : nullptr;
}

}  // namespace photon_dmesg
