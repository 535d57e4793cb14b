#include "kernel/self/derived_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/little_endian.h"
#include "kernel/arch/architecture.h"
#include "kernel/memory/page_reads.h"
#include "kernel/self/task_bytes.h"
#include "kernel/self/task_schedule.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t half = sizeof(std::uint32_t);
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t stack_end_mark = 0x57ac6e9d;  // STACK_END_MAGIC, include/uapi/linux/magic.h
constexpr std::uint64_t thread_info_bytes = 128;      // at a stack's end up to 4.8, before the mark
constexpr std::uint64_t stack_bytes = 32 * 1024;      // the most: with KASAN

using Place = TaskPlace;

// What can't be read is zeros.
TaskBytes read_task(const KernelMemory& memory, GuestVirtual node) {
  TaskBytes task{node, std::vector<std::byte>(2 * task_reach)};
  read_by_pages(memory, node + (0 - task_reach), task.bytes);
  return task;
}

class Derivation {
 public:
  Derivation(const KernelMemory& memory, const TaskRing& ring)
      : memory_(memory),
        has_context_(memory.tables().architecture().saved_registers().in_task),
        comm_(ring.comm) {
    for (const GuestVirtual node : ring.nodes) nodes_.insert(node.value);
    // The oldest are the kernel's own threads, the newest are users': some of both are enough.
    constexpr std::size_t most_of_each = 128;
    for (std::size_t i = 0; i < ring.nodes.size(); ++i) {
      const bool is_taken = i < most_of_each || i + most_of_each >= ring.nodes.size();
      if (is_taken) tasks_.push_back(read_task(memory, ring.nodes[i]));
    }
  }

  // Whether the members without which nothing is known of a task are found.
  bool run() {
    constexpr std::size_t fewest = 3;  // idle, init, kthreadd
    if (tasks_.size() < fewest) return false;
    find_numbers();
    find_stack();
    find_start();
    if (!start_ || !stack_ || !stack_pointer_) return false;
    find_state();
    find_threads();
    find_flags();
    schedule_ = find_task_schedule(tasks_);
    cpu_ = find_task_cpu(tasks_, *start_, task_reach + comm_);
    return true;
  }

  [[nodiscard]] GuestVirtual init_task() const {
    return tasks_.front().node + (*start_ - task_reach);
  }

  [[nodiscard]] std::map<std::string, StructLayout, std::less<>> structs() const {
    std::vector<MemberLayout> members;
    const auto add = [&](const char* name, std::optional<Place> place, std::uint64_t size,
                         const char* type = "") {
      if (place && *place >= *start_) {
        members.push_back({name, *place - *start_, size, 0, 0, type});
      }
    };
    add("tasks", task_reach, 2 * word, "list_head");
    add("comm", task_reach + comm_, comm_bytes);
    add("pid", pid_, half);
    add("tgid", tgid_, half);
    add("stack", stack_, word);
    if (has_context_) {
      add("thread", *stack_pointer_ - word, 3 * word, "thread_struct");
    } else {
      add("thread", stack_pointer_, word, "thread_struct");
    }
    add("real_parent", parent_, word);
    add("group_leader", leader_, word);
    add("__state", state_, half);
    add("state", state_, half);
    add("signal", signal_, word);
    add("thread_node", thread_node_, 2 * word, "list_head");
    add("flags", flags_, half);
    add("cpu", cpu_, half);
    std::map<std::string, StructLayout, std::less<>> layouts;
    if (schedule_) {
      add("se", schedule_->begin, schedule_->exec_start + 2 * word - schedule_->begin,
          "sched_entity");
      put_schedule(layouts);
    }
    put(layouts, "task_struct", std::move(members));
    if (has_context_) {
      put(layouts, "thread_struct", {{"cpu_context", 0, 3 * word, 0, 0, "cpu_context"}});
      put(layouts, "cpu_context", {{"fp", 0, word}, {"sp", word, word}, {"pc", 2 * word, word}});
    } else {
      put(layouts, "thread_struct", {{"sp", 0, word}});
    }
    put(layouts, "list_head", {{"next", 0, word}, {"prev", word, word}});
    if (signal_)
      put(layouts, "signal_struct", {{"thread_head", thread_head_, 2 * word, 0, 0, "list_head"}});
    return layouts;
  }

 private:
  static void put(std::map<std::string, StructLayout, std::less<>>& layouts, const char* name,
                  std::vector<MemberLayout> members) {
    std::uint64_t size = 0;
    for (const MemberLayout& member : members) size = std::max(size, member.offset + member.size);
    layouts.emplace(name, StructLayout(name, size, std::move(members)));
  }

  void put_schedule(std::map<std::string, StructLayout, std::less<>>& layouts) const {
    const std::uint64_t start = schedule_->exec_start - schedule_->begin;
    std::vector<MemberLayout> members = {{"exec_start", start, word},
                                         {"sum_exec_runtime", start + word, word}};
    if (const auto picked = schedule_->runtime_when_picked) {
      members.push_back({"prev_sum_exec_runtime", *picked - schedule_->begin, word});
    }
    put(layouts, "sched_entity", std::move(members));
  }

  // The places, aligned to `width`, at which holds(task, place) for every task.
  template <typename Holds>
  [[nodiscard]] std::vector<Place> places(std::uint64_t width, Holds holds) const {
    return places_that_fit(tasks_, 0, 2 * task_reach, width, holds);
  }

  [[nodiscard]] bool is_pointer(std::uint64_t value) const {
    return value % word == 0 && memory_.tables().architecture().is_kernel_pointer(value);
  }

  // The idle task is number 0, init 1, kthreadd 2, and no two are the same. Of a process's first
  // thread both numbers are, that of the thread and that of the process, side by side.
  void find_numbers() {
    constexpr std::uint64_t most_pid = std::uint64_t{1} << 22;  // PID_MAX_LIMIT
    std::vector<Place> found;
    for (Place place = 0; place + half <= 2 * task_reach; place += half) {
      std::set<std::uint64_t> numbers;
      const auto is_number = [&](const TaskBytes& task) {
        const std::uint64_t number = task.at(place, half);
        const std::uint64_t expected = numbers.size();
        return number <= most_pid && (expected > 2 || number == expected) &&
               numbers.insert(number).second;
      };
      if (std::all_of(tasks_.begin(), tasks_.end(), is_number)) found.push_back(place);
    }
    std::vector<Place> pairs;
    for (const Place place : found) {
      if (std::find(found.begin(), found.end(), place + half) != found.end()) {
        pairs.push_back(place);
      }
    }
    pid_ = only(pairs);
    if (pid_) tgid_ = *pid_ + half;
  }

  // Where a stack's end is marked: at its lowest address, or behind the thread_info there.
  [[nodiscard]] bool is_stack(std::uint64_t address) const {
    if (!is_pointer(address) || address % page != 0) return false;
    std::vector<std::byte> bytes(thread_info_bytes);
    if (!memory_.read({address}, bytes)) return false;
    for (std::uint64_t at = 0; at < thread_info_bytes; at += word) {
      if (load_unsigned(std::span(bytes).subspan(at, word)) == stack_end_mark) return true;
    }
    return false;
  }

  // A process that has ended has none any more.
  void find_stack() {
    constexpr std::size_t first_ones = 3;
    stack_ = only(places(word, [&](const TaskBytes& task, Place place) {
      const std::uint64_t stack = task.at(place);
      const bool may_lack = stack == 0 && &task >= tasks_.data() + first_ones;
      return may_lack || is_stack(stack);
    }));
    if (!stack_) return;
    stack_pointer_ = only(places(word, [&](const TaskBytes& task, Place place) {
      return task.at(*stack_) == 0 ||
             (is_in_stack(task, task.at(place)) && (!has_context_ || is_in_context(task, place)));
    }));
  }

  [[nodiscard]] bool is_in_stack(const TaskBytes& task, std::uint64_t address) const {
    const std::uint64_t inside = address - task.at(*stack_);
    return inside > 0 && inside <= stack_bytes && inside % word == 0;
  }

  // arm64: between a frame pointer, which is there too, and where the task goes on.
  [[nodiscard]] bool is_in_context(const TaskBytes& task, Place place) const {
    constexpr std::uint64_t instruction_bytes = 4;
    if (place < word || place + 2 * word > 2 * task_reach) return false;
    const std::uint64_t fp = task.at(place - word);
    const std::uint64_t ip = task.at(place + word);
    return (fp == 0 || is_in_stack(task, fp)) && ip % instruction_bytes == 0 &&
           memory_.tables().architecture().is_image_address({ip});
  }

  // arm64: whether the task's struct cpu_context is there, x19 to x30, in which it may have itself.
  [[nodiscard]] bool is_saved_register(Place place) const {
    constexpr std::uint64_t before_sp = 11 * word;
    return has_context_ && stack_pointer_ && place + before_sp >= *stack_pointer_ &&
           place <= *stack_pointer_ + word;
  }

  // A task's beginning is what other tasks point to: those it has begun, as their parent, and the
  // first thread of a process to itself. Init and kthreadd are the idle task's.
  void find_start() {
    const TaskBytes& idle = tasks_.front();
    std::vector<std::uint64_t> starts;  // counted from the node, modulo 2^64
    const std::vector<Place> leaders = places(word, [&](const TaskBytes& task, Place place) {
      return task.at(place) - task.node.value == idle.at(place) - idle.node.value;
    });
    std::vector<std::pair<Place, std::vector<Place>>> found;
    for (const Place leader : leaders) {
      const std::uint64_t start = idle.at(leader) - idle.node.value;
      if (start == 0 || 0 - start > task_reach) continue;  // not before the node
      if (is_saved_register(leader)) continue;
      std::vector<Place> parents = find_parents(start);
      if (!parents.empty()) found.emplace_back(leader, std::move(parents));
    }
    if (found.size() != 1) return;
    leader_ = found.front().first;
    start_ = task_reach + idle.at(*leader_) - idle.node.value;
    // `parent`, which a debugger changes, stands behind `real_parent`.
    const std::vector<Place>& parents = found.front().second;
    if (parents.size() == 2 && parents[1] - parents[0] == word) parent_ = parents[0];
  }

  [[nodiscard]] std::vector<Place> find_parents(std::uint64_t start) const {
    const std::uint64_t idle = tasks_[0].node.value + start;
    const std::uint64_t kthreadd = tasks_[2].node.value + start;
    std::vector<Place> found;
    for (Place place = 0; place + word <= 2 * task_reach; place += word) {
      const auto is_first = [&](const TaskBytes& task) { return task.at(place) == idle; };
      if (!std::all_of(tasks_.begin(), tasks_.begin() + 3, is_first)) continue;
      // A thread that is not its process's first may be a parent, and is no node.
      std::size_t of_nodes = 0;
      bool has_kthreadd = false;
      for (const TaskBytes& task : tasks_) {
        const std::uint64_t parent = task.at(place);
        has_kthreadd = has_kthreadd || parent == kthreadd;
        of_nodes += nodes_.contains(parent - start) ? 1 : 0;
      }
      if (has_kthreadd && of_nodes > tasks_.size() / 2) found.push_back(place);
    }
    return found;
  }

  // Up to 4.8 the structure begins with it, since then a thread_info does, of 8 to 24 bytes. Most
  // tasks sleep, kthreadd too, and the idle task never does.
  void find_state() {
    constexpr std::uint64_t most_state = 0xffff;
    constexpr std::uint64_t last_place = 24;
    std::vector<Place> found;
    for (Place place = *start_; place <= *start_ + last_place; place += word) {
      std::size_t asleep = 0;
      const bool fits = std::all_of(tasks_.begin(), tasks_.end(), [&](const TaskBytes& task) {
        const std::uint64_t state = task.at(place, half);
        asleep += state != 0 ? 1 : 0;
        return state <= most_state;
      });
      const bool is_likely = asleep > tasks_.size() / 2 && tasks_[0].at(place, half) == 0 &&
                             tasks_[2].at(place, half) != 0;
      if (fits && is_likely) found.push_back(place);
    }
    state_ = only(found);
  }

  // The node of a process's only thread leads to a list head and back, in a structure that another
  // member points to.
  void find_threads() {
    const std::vector<Place> nodes = places(word, [&](const TaskBytes& task, Place place) {
      return place + 2 * word <= 2 * task_reach && is_thread_node(task, place);
    });
    const std::optional<Place> node = only(nodes);
    if (!node) return;
    std::vector<const TaskBytes*> single;
    for (const TaskBytes& task : tasks_) {
      if (task.at(*node) == task.at(*node + word)) single.push_back(&task);
    }
    if (single.size() < 3) return;
    constexpr std::uint64_t most_offset = 1024;
    std::vector<Place> owners;
    for (Place place = 0; place + word <= 2 * task_reach; place += word) {
      const std::uint64_t offset = single.front()->at(*node) - single.front()->at(place);
      const bool fits = std::all_of(single.begin(), single.end(), [&](const TaskBytes* task) {
        return is_pointer(task->at(place)) && task->at(*node) - task->at(place) == offset;
      });
      if (fits && offset > 0 && offset <= most_offset) owners.push_back(place);
    }
    if (owners.size() != 1) return;
    thread_node_ = node;
    signal_ = owners.front();
    thread_head_ = single.front()->at(*node) - single.front()->at(*signal_);
  }

  // Whether what the node there leads to leads back, and the node is not alone.
  [[nodiscard]] bool is_thread_node(const TaskBytes& task, Place place) const {
    const std::uint64_t self = task.node.value + place - task_reach;
    const std::uint64_t next = task.at(place);
    const std::uint64_t previous = task.at(place + word);
    if (next == self || !is_pointer(next) || !is_pointer(previous)) return false;
    return memory_.read_unsigned({next + word}, word) == self &&
           memory_.read_unsigned({previous}, word) == self && place != task_reach;
  }

  // PF_KTHREAD: of the idle task, of kthreadd and all its children, and of no child of init.
  // PF_FORKNOEXEC: of what has never become another program, as these children, and init has.
  // Either half of a pointer would fit at times (all kernel threads have the same files), and so
  // might a name's letters.
  void find_flags() {
    constexpr std::uint64_t kernel_thread = 0x200000;
    constexpr std::uint64_t never_other = 0x40;
    if (!parent_) return;
    const std::uint64_t start = *start_ - task_reach;
    const std::uint64_t init = tasks_[1].node.value + start;
    const std::uint64_t kthreadd = tasks_[2].node.value + start;
    flags_ = only(places(half, [&](const TaskBytes& task, Place place) {
      const std::uint64_t flags = task.at(place, half);
      const bool is_kernel = (flags & kernel_thread) != 0;
      const std::uint64_t self = task.node.value + start;
      const std::uint64_t parent = task.at(*parent_);
      const bool is_name = place + half - 1 - task_reach - comm_ < comm_bytes + half - 1;
      const std::uint64_t whole = task.at(place / word * word);
      if (memory_.tables().architecture().is_kernel_pointer(whole) || is_name) return false;
      if (&task == tasks_.data()) return is_kernel;
      const bool is_new = (flags & never_other) != 0;
      if (self == kthreadd || parent == kthreadd) return is_kernel && is_new;
      if (self == init) return !is_kernel && !is_new;
      return parent != init || !is_kernel;
    }));
  }

  const KernelMemory& memory_;
  bool has_context_;               // tasks save a struct cpu_context, as on arm64
  std::uint64_t comm_;             // from a node
  std::set<std::uint64_t> nodes_;  // of all tasks
  std::vector<TaskBytes> tasks_;   // the idle task first
  std::optional<Place> start_;
  std::optional<Place> pid_;
  std::optional<Place> tgid_;
  std::optional<Place> stack_;
  std::optional<Place> stack_pointer_;
  std::optional<Place> leader_;
  std::optional<Place> parent_;
  std::optional<Place> state_;
  std::optional<Place> signal_;
  std::optional<Place> thread_node_;
  std::optional<Place> flags_;
  std::optional<TaskSchedule> schedule_;
  std::optional<Place> cpu_;
  std::uint64_t thread_head_ = 0;  // in what signal_ points to
};

}  // namespace

std::shared_ptr<const DerivedTypes> DerivedTypes::find(const KernelImage& image,
                                                       Diagnostics& diagnostics) {
  const std::optional<TaskRing> ring = find_task_ring(image, diagnostics);
  if (!ring) return nullptr;
  Derivation derivation(image.memory(), *ring);
  if (!derivation.run()) return nullptr;
  std::shared_ptr<const DerivedTypes> types(
      new DerivedTypes(derivation.init_task(), derivation.structs()));
  diagnostics.found({.what = "the idle task",
                     .value = fmt::format("{}", types->init_task()),
                     .where = "the guest's memory",
                     .how = fmt::format("it begins a list of {} processes, which show where the "
                                        "members of a task are",
                                        ring->nodes.size())});
  return types;
}

const StructLayout* DerivedTypes::find_struct(std::string_view name) const {
  const auto found = structs_.find(name);
  return found == structs_.end() ? nullptr : &found->second;
}

}  // namespace photon_dmesg
