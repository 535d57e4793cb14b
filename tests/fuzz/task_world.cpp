#include "fuzz/task_world.h"

#include <array>
#include <map>
#include <utility>

namespace photon_dmesg::fuzz {
namespace {

using test::MadeTask;
using test::TaskGuest;
namespace task_at = test::task_at;

struct Version {
  const char* release;
  const char* orc_hash;     // empty: none is there
  std::uint16_t orc_types;  // 0: types begin with Call; 2: with two others
};
constexpr std::array<Version, TaskWorld::versions> all_versions = {{
    {"4.4.121", "", 0},
    {"4.9.0", "", 0},
    {"4.19.0", "", 0},
    {"5.10.0", "", 0},
    {"6.1.0", "", 0},
    {"6.6.0", "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24", 2},
    {"7.3.0", "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24", 2},
}};

constexpr GuestVirtual text = TaskGuest::linked_text + TaskGuest::kaslr_offset;
constexpr std::uint64_t user_ip = 0x401000;
constexpr std::uint16_t user_code = 0x33;
constexpr std::uint64_t registers_size = 168;

// Frames that an input tells, of functions at their linked addresses.
class ToldFrames final : public CallFrames {
 public:
  std::map<std::uint64_t, CallFrame> frames;  // by where they begin to count

  [[nodiscard]] std::optional<CallFrame> find(GuestVirtual address) const override {
    const auto behind = frames.upper_bound(address.value);
    return behind == frames.begin() ? std::nullopt : std::optional(std::prev(behind)->second);
  }
};

}  // namespace

TaskWorld& TaskWorld::of(std::size_t version, bool has_orc) {
  static std::array<std::unique_ptr<TaskWorld>, 2 * versions> made;
  auto& world = made.at(2 * version + (has_orc ? 1 : 0));
  if (!world) world.reset(new TaskWorld(version, has_orc));
  return *world;
}

TaskWorld::TaskWorld(std::size_t version, bool has_orc)
    : version_(version), guest_(all_versions.at(version).release) {
  add_types();
  add_functions();
  add_processor();
  add_tasks();
  add_locks();
  add_module();
  add_pids();
  if (has_orc) add_orc();
}

void TaskWorld::add_types() {
  guest_.type("rq", 64, {{"curr", 8}, {"idle", 16}, {"clock", 24}});
  guest_.type("mutex", 32, {{"owner", 0}, {"wait_lock", 8, 4}, {"wait_list", 16, 16}});
  guest_.type("rw_semaphore", 40, {{"count", 0}, {"owner", 8}, {"wait_list", 24, 16}});
  guest_.type("rt_mutex_waiter", 64, {{"lock", 48}});
  guest_.type("rt_mutex_base", 32, {{"owner", 24}});
  guest_.type("module", 512,
              {{"list", 8, 16},
               {"name", 24, 56},
               {"kallsyms", 128},
               {"core_layout", 192, 32, "module_layout"},
               {"init_layout", 224, 32, "module_layout"},
               {"arch", 448, 32, "mod_arch_specific"}});
  guest_.type("module_layout", 32, {{"base", 0}, {"size", 8, 4}, {"text_size", 12, 4}});
  guest_.type("mod_arch_specific", 32,
              {{"num_orcs", 0, 4}, {"orc_unwind_ip", 8}, {"orc_unwind", 16}});
  guest_.type("mod_kallsyms", 32, {{"symtab", 0}, {"num_symtab", 8, 4}, {"strtab", 16}});
  guest_.type("pid", 128, {{"tasks", 8, 24}, {"numbers", 48, 32, "upid"}});
  guest_.type("pid_namespace", 256, {{"idr", 16, 24, "idr"}});
  guest_.type("idr", 24, {{"idr_rt", 0, 16, "tree"}});
  guest_.type("tree", 16, {{"xa_head", 8}});
  guest_.type("xa_node", 576, {{"slots", 40, 512}});
}

void TaskWorld::add_functions() {
  for (const char* name :
       {"ret_from_fork", "entry_SYSCALL_64", "asm_common_interrupt", "common_interrupt",
        "__switch_to_asm", "__schedule", "schedule", "start_secondary", "default_idle", "kthread",
        "__mutex_lock", "rwsem_down_read_slowpath", "__down", "wait_for_completion",
        "folio_wait_bit_common", "rt_mutex_slowlock", "do_read"}) {
    functions_.emplace_back(name, guest_.function(name));
  }
}

GuestVirtual TaskWorld::function(const std::string& name) const {
  for (const auto& [known, address] : functions_) {
    if (known == name) return address;
  }
  return {};
}

void TaskWorld::add_processor() {
  constexpr std::uint64_t queue = 0x1000;
  constexpr std::uint64_t current = 0x2000;
  constexpr std::uint64_t stack_pointer = 0x2100;
  const GuestVirtual own = guest_.allocate(0x4000);
  const GuestVirtual stack = guest_.allocate(0x4000, 0x4000);
  guest_.write(guest_.variable("__per_cpu_offset"), own);
  guest_.write(guest_.variable("nr_cpu_ids"), 1, 4);
  guest_.symbol("runqueues", {queue});
  guest_.symbol("current_task", {current});
  guest_.symbol("hardirq_stack_ptr", {stack_pointer});
  guest_.write(own + stack_pointer, stack + 0x4000);
}

MadeTask TaskWorld::sleeper(std::int32_t pid, const std::string& comm, const std::string& name) {
  constexpr std::uint64_t sp_at = 0x3c00;
  constexpr std::uint64_t saved = 56;  // of struct inactive_task_frame
  const MadeTask task = guest_.task(pid, comm);
  const GuestVirtual callee = function(name);
  const GuestVirtual schedule = function("__schedule");
  const GuestVirtual sp = task.stack + sp_at;
  const GuestVirtual registers{task.stack_end().value - registers_size};
  const GuestVirtual frame{registers.value - 16};
  guest_.write(task.address + task_at::state, 2, 4);
  guest_.save_frame(task, sp, (sp + saved).value,
                    guest_.call(schedule, 0x60, function("__switch_to_asm")));
  guest_.write(sp, sp + saved);
  guest_.write_words(sp + saved, {frame.value, guest_.call(callee, 0x20, schedule)});
  guest_.write_words(
      frame, {registers.value | 1, guest_.indirect_call(function("entry_SYSCALL_64"), 0x40)});
  guest_.write_registers(registers, user_ip, 0x7ffc0000, 0, user_code);
  tasks_.push_back(task);
  return task;
}

void TaskWorld::add_tasks() {
  tasks_.push_back(guest_.task(0, "swapper/0"));
  sleeper(1, "init", "do_read");
  for (const char* name : {"__mutex_lock", "__mutex_lock", "rwsem_down_read_slowpath", "__down",
                           "wait_for_completion", "folio_wait_bit_common", "rt_mutex_slowlock"}) {
    sleeper(static_cast<std::int32_t>(tasks_.size()), name, name);
  }
  tasks_.push_back(guest_.thread(tasks_[1], 100, "thread"));
  guest_.write(tasks_.back().address + task_at::sp, tasks_.back().stack + 0x3000);
}

// Each sleeper waits for what its function takes.
void TaskWorld::add_locks() {
  constexpr std::uint64_t waiter_at = 0x3d00;
  const auto wait = [&](std::size_t task, GuestVirtual head, std::uint64_t node = 0,
                        std::uint64_t owner = 16) {
    const GuestVirtual waiter = tasks_[task].stack + waiter_at;
    guest_.write(waiter + owner, tasks_[task].address);
    guest_.append(head, waiter + node);
  };
  const auto lock = [&](const char* name, std::uint64_t list) {
    const GuestVirtual made = guest_.variable(name);
    guest_.begin_list(made + list);
    return made;
  };
  const GuestVirtual mutex = lock("some_mutex", 16);
  guest_.write(mutex, tasks_[1].address);
  wait(2, mutex + 16);
  wait(3, mutex + 16);
  const GuestVirtual rwsem = lock("some_rwsem", 24);
  guest_.write(rwsem + 8, tasks_[2].address);
  wait(4, rwsem + 24);
  wait(5, lock("some_semaphore", 8) + 8);
  wait(6, lock("some_completion", 16) + 16, 8, 0);
  wait(7, lock("some_queue", 8) + 8, 24 + 16, 8 + 16);
  const GuestVirtual rt_mutex = guest_.variable("some_rt_mutex");
  const GuestVirtual waiter = tasks_[8].stack + waiter_at;
  guest_.write(waiter + 48, rt_mutex);
  guest_.write(rt_mutex + 24, tasks_[3].address);
  guest_.write(tasks_[8].address + task_at::pi_blocked_on, waiter);
}

void TaskWorld::add_module() {
  const GuestVirtual head = guest_.variable("modules");
  const GuestVirtual module = guest_.allocate(512);
  const GuestVirtual symbols = guest_.allocate(32);
  const GuestVirtual table = guest_.allocate(48);
  const GuestVirtual names = guest_.allocate(16);
  guest_.begin_list(head);
  guest_.append(head, module + 8);
  guest_.write_text(module + 24, "some_module");
  guest_.write(module + 128, symbols);
  guest_.write(module + 192, TaskGuest::module_begin);
  guest_.write(module + 200, 0x2000 | std::uint64_t{0x1000} << 32);
  guest_.write_words(symbols, {table.value, 2, names.value});
  guest_.write_words(table + 24, {1 | std::uint64_t{2} << 32 | std::uint64_t{1} << 48,
                                  TaskGuest::module_begin.value, 0x100});
  guest_.write_text(names + 1, "in_module");
}

void TaskWorld::add_pids() {
  constexpr std::uint64_t node_mark = 2;
  const GuestVirtual space = guest_.variable("init_pid_ns", 256);
  const GuestVirtual node = guest_.allocate(576, 64);
  guest_.write(space + 24, node.value | node_mark);
  for (std::size_t i = 1; i < tasks_.size(); ++i) {
    const GuestVirtual pid = guest_.allocate(128);
    guest_.write(pid + 8, tasks_[i].address + task_at::pid_links);
    guest_.write(pid + 56, space);
    guest_.write(node + 40 + 8 * i, pid);
  }
}

void TaskWorld::add_orc() {
  const Version& version = all_versions.at(version_);
  const auto type = [&](unsigned number) {
    return static_cast<std::uint16_t>((number + version.orc_types) << 8);
  };
  const auto sp_with_bp = static_cast<std::uint16_t>(5 | 1 << 4 | type(0));
  const auto bp = static_cast<std::uint16_t>(4 | 1 << 4 | type(0));
  const auto registers = static_cast<std::uint16_t>(5 | type(1));
  std::vector<TaskGuest::OrcLine> lines;
  for (const auto& [name, address] : functions_) {
    if (name.find("entry") == 0 || name.find("asm_") == 0 || name.find("ret_") == 0) {
      lines.push_back({address, 0, 0, registers});
    } else if (name.find("__s") == 0) {
      lines.push_back({address, 16, -16, sp_with_bp});
    } else {
      lines.push_back({address, 16, -16, bp});
    }
  }
  // Enough of them that the format can be told.
  for (std::uint64_t i = 0; i < 2 * functions_.size(); ++i) {
    lines.push_back({guest_.function("later"), 16, -16, sp_with_bp});
  }
  guest_.orc(lines, version.orc_hash);
}

std::uint64_t TaskWorld::word(Input& input) {
  const std::uint8_t kind = input.byte() & 7;
  if (kind == 0) return input.number(8);
  const std::uint64_t number = input.number(2);
  switch (kind) {
    case 1:
      return (heap_ + number * 8).value;
    case 2:
      return (text + number).value;
    case 3:
      return (data_ + number * 8).value;
    case 4:
      return number;
    case 5:
      return (TaskGuest::module_begin + number).value;
    case 6:
      return ~number;
    default:
      return functions_.at(number % functions_.size()).second.value + (number >> 8);
  }
}

void TaskWorld::damage(Input& input) {
  while (!input.empty()) {
    const std::array<GuestVirtual, 4> regions = {heap_, data_, text, TaskGuest::module_begin};
    const std::uint8_t where = input.byte();
    const GuestVirtual place = regions.at(where & 3) + input.number(2) * 8;
    const std::uint64_t before = guest_.read(place);
    changes_.push_back({place, before});
    const std::uint64_t value = word(input);
    guest_.write(place, (where & 4) != 0 ? before ^ value : value);
  }
}

void TaskWorld::mend() {
  for (; !changes_.empty(); changes_.pop_back()) {
    guest_.write(changes_.back().place, changes_.back().before);
  }
}

std::unique_ptr<CallFrames> TaskWorld::call_frames(Input& input) const {
  auto told = std::make_unique<ToldFrames>();
  for (std::size_t left = input.byte() % 32U; left > 0; --left) {
    const std::uint8_t which = input.byte();
    const std::uint8_t kind = input.byte();
    const std::uint64_t begin = functions_.at(which % functions_.size()).second.value + (kind >> 2);
    CallFrame frame;
    frame.base = (kind & 1) != 0 ? CallFrame::Base::Bp : CallFrame::Base::Sp;
    frame.offset = static_cast<std::int16_t>(input.number(2));
    if ((kind & 2) != 0) frame.saved_bp = static_cast<std::int16_t>(input.number(2));
    told->frames[begin - TaskGuest::kaslr_offset] = frame;
  }
  return told;
}

}  // namespace photon_dmesg::fuzz
