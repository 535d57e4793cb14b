#include "kernel/waits/waits.h"

#include <algorithm>

#include "kernel/arch/release_number.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"
#include "kernel/unwind/stacks.h"
#include "kernel/waits/data_name.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// Functions that lie deeper than this are not what a task sleeps in.
constexpr std::size_t most_functions = 14;

std::optional<WaitKind> kind_of(const Trace& trace) {
  std::size_t count = 0;
  for (const Frame& frame : trace.frames) {
    if (!frame.is_reliable || ++count > most_functions) break;
    const auto kind = frame.place ? wait_of_function(frame.place->symbol) : std::nullopt;
    if (kind) return kind;
  }
  return std::nullopt;
}

// Those of all rings, and what is none of any. A task waits in one, and has its own address a few
// times on its stack.
Budget nodes_of(std::size_t tasks) {
  constexpr std::uint64_t usual = 16;
  constexpr std::uint64_t few_more = std::uint64_t{1} << 16;
  constexpr std::uint64_t most = std::uint64_t{1} << 20;
  return {"places that may be waiters", std::min(usual * tasks + few_more, most)};
}

bool sleeps(const Task& task) {
  return !task.on_cpu && (task.state == 'D' || task.state == 'S');
}

}  // namespace

Waits::Waits(const GuestKernel& kernel, const KernelTypes& types, const Tasks& tasks,
             const CodeMap& code)
    : memory_(kernel.memory()),
      types_(types),
      tasks_(tasks),
      code_(code),
      storage_(kernel, types),
      release_(release_number(kernel.banner().release)),
      stack_size_(kernel_stack_size_of(kernel.memory())),
      nodes_(nodes_of(tasks.all().size())),
      words_(stack_words("words that may name waiters", tasks.all().size())) {}

void Waits::warn_if_exceeded(Diagnostics& diagnostics) const {
  nodes_.warn_if_exceeded("the stacks of all tasks", diagnostics);
  words_.warn_if_exceeded("the stacks of all tasks", diagnostics);
}

bool Waits::is_on_stack(const Task& task, GuestVirtual address) const {
  return task.stack && address - *task.stack < stack_size_;
}

std::optional<Wait> Waits::find(const Task& task, const Trace& trace) const {
  if (!sleeps(task) || !task.stack || !task.saved_sp) return std::nullopt;
  auto wait = find_rt_mutex(task);
  const auto kind = kind_of(trace);
  if (!wait && kind) wait = find_on_stack(task, *kind);
  // Whoever waits in D for none of the known things waits for an event; those in S are many, and
  // mostly idle.
  if (!wait && !kind && task.state == 'D') {
    wait = find_on_stack(task, WaitKind::WaitQueue);
  }
  if (!wait) return std::nullopt;
  find_owner(task, *wait);
  find_name(task, *wait);
  return wait;
}

// Where the kernel itself keeps what a task is blocked on.
std::optional<Wait> Waits::find_rt_mutex(const Task& task) const {
  const auto waiter = read_pointer(memory_, task.address, types_.find("task_struct.pi_blocked_on"));
  if (!waiter) return std::nullopt;
  const auto lock = read_pointer(memory_, *waiter, types_.find("rt_mutex_waiter.lock"));
  if (!lock) return std::nullopt;
  Wait wait;
  wait.kind = WaitKind::RtMutex;
  wait.object = *lock;
  return wait;
}

std::optional<Wait> Waits::find_on_stack(const Task& task, WaitKind kind) const {
  const auto form = form_of(kind, types_, release_);
  if (!form || !is_on_stack(task, *task.saved_sp)) return std::nullopt;
  const GuestVirtual end = *task.stack + stack_size_;
  for (GuestVirtual at = *task.saved_sp; at < end && words_.take(); at = at + word) {
    if (memory_.read_unsigned(at, word) != task.address.value) continue;
    if (auto wait = read_waiter(task, *form, {at.value - form->task})) return wait;
  }
  return std::nullopt;
}

std::optional<Wait> Waits::read_waiter(const Task& task, const WaitForm& form,
                                       GuestVirtual waiter) const {
  const auto object = find_object(task, form, waiter);
  if (!object) return std::nullopt;
  Wait wait;
  wait.kind = form.kind;
  wait.object = *object;
  return wait;
}

// Whether `node` is part of an object by which a task waits; else it is the ring's head. Beside a
// head, too, a task may stand, as a mutex's owner does until 4.9.
bool Waits::is_waiter(const WaitForm& form, GuestVirtual node) const {
  const auto address = read_pointer(memory_, GuestVirtual{node.value - form.link + form.task});
  const Task* task = address ? tasks_.find(*address) : nullptr;
  return task != nullptr && is_on_stack(*task, node);
}

// The number of the ring that `node` is in; nothing if it is one too many.
std::optional<std::size_t> Waits::ring_of(const WaitForm& form, GuestVirtual node) const {
  const auto key_of = [&](GuestVirtual at) { return RingKey(at.value, form.task - form.link); };
  const auto known = ring_of_.find(key_of(node));
  if (known != ring_of_.end()) return known->second;
  if (!nodes_.take()) return std::nullopt;
  const ListNodes list = walk_list(memory_, node, tasks_.all().size());
  if (!nodes_.take(list.nodes.size())) return std::nullopt;
  const std::size_t number = rings_.size();
  Ring& ring = rings_.emplace_back();
  ring.is_sound = !list.broken;
  ring_of_.emplace(key_of(node), number);
  for (const GuestVirtual other : list.nodes) {
    ring_of_.emplace(key_of(other), number);
    if (ring.is_sound && !ring.head && !is_waiter(form, other)) ring.head = other;
  }
  return number;
}

std::optional<GuestVirtual> Waits::find_object(const Task& task, const WaitForm& form,
                                               GuestVirtual waiter) const {
  const auto number = ring_of(form, waiter + form.link);
  if (!number || !rings_[*number].is_sound) return std::nullopt;
  const Ring& ring = rings_[*number];
  if (!form.head) return read_pointer(memory_, waiter + form.object);
  if (ring.head) return GuestVirtual{ring.head->value - *form.head};
  return blocker_of(task, form, *number);
}

// Since 7.0 the ring has no head: the lock points at the first who wait, and the task at the lock.
std::optional<GuestVirtual> Waits::blocker_of(const Task& task, const WaitForm& form,
                                              std::size_t ring) const {
  constexpr std::uint64_t kind_bits = 3;  // the kind of lock, in task_struct.blocker
  const char* first_waiter = "semaphore.first_waiter";
  if (form.kind == WaitKind::Mutex) first_waiter = "mutex.first_waiter";
  if (form.kind == WaitKind::RwSemaphore) first_waiter = "rw_semaphore.first_waiter";
  const auto first = types_.find(first_waiter);
  for (const char* member : {"task_struct.blocked_on", "task_struct.blocker"}) {
    const auto lock = read_pointer(memory_, task.address, types_.find(member));
    if (!lock) continue;
    const GuestVirtual object{lock->value & ~kind_bits};
    const auto waiter = read_pointer(memory_, object, first);
    if (waiter && ring_of(form, *waiter + form.link) == ring) return object;
  }
  return std::nullopt;
}

// Where a lock has its owner, and what else stands in the lowest bits.
struct Waits::OwnerWord {
  Field field;
  std::uint64_t flags = 0;
  std::uint64_t reader_flag = 0;
};

// Where the types don't tell: as it is without lock debugging. That a task is found there proves
// it.
std::optional<Waits::OwnerWord> Waits::owner_word(WaitKind kind) const {
  constexpr std::uint64_t word_flags = 7;
  const auto word_at = [](std::uint64_t offset) { return Field{offset, word, 0, 0, nullptr}; };
  switch (kind) {
    case WaitKind::Mutex: {
      const bool has_flags = release_ >= ReleaseNumber{4, 10};
      const auto field = types_.find("mutex.owner");
      if (!field && !has_flags) return std::nullopt;
      return OwnerWord{field.value_or(word_at(0)), has_flags ? word_flags : 0, 0};
    }
    case WaitKind::RwSemaphore: {
      const bool has_flags = release_ >= ReleaseNumber{5, 3};
      const auto field = types_.find("rw_semaphore.owner");
      if (!field && !has_flags) return std::nullopt;
      return OwnerWord{field.value_or(word_at(word)), has_flags ? word_flags : 0, 1};
    }
    case WaitKind::RtMutex:
      if (const auto field = types_.find_any({"rt_mutex_base.owner", "rt_mutex.owner"})) {
        return OwnerWord{*field, 1, 0};
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

void Waits::find_owner(const Task& task, Wait& wait) const {
  const auto place = owner_word(wait.kind);
  const auto value = place ? read_number(memory_, wait.object, place->field) : std::nullopt;
  if (!value || (*value & ~place->flags) == 0) return;
  const bool is_reader = (*value & place->reader_flag) != 0;
  const Task* owner = tasks_.find(GuestVirtual{*value & ~place->flags});
  if (owner == nullptr) return;  // before 5.3 readers leave no more than a mark
  // The last reader may have ended, and its task_struct been used again: that task has read nothing
  // that somebody waited for before it was made.
  if (is_reader && owner->start_nsec.value_or(0) > task.last_ran_nsec.value_or(0)) return;
  wait.owner = owner->address;
  wait.owner_is_certain = !is_reader;
}

void Waits::find_name(const Task& task, Wait& wait) const {
  wait.name = name_of_data(code_, wait.object);
  if (wait.name) return;
  wait.name = name_in_storage(task, wait);
  wait.name_says_what = wait.name.has_value();
  if (!wait.name) wait.name = storage_.member(wait.object);
}

// What is a page, a buffer, I/O or a file system, and not only a part of one.
std::optional<std::string> Waits::name_in_storage(const Task& task, const Wait& wait) const {
  switch (wait.kind) {
    case WaitKind::Page:
      return storage_.page(wait.object);
    case WaitKind::Bit:
      return storage_.buffer(wait.object);
    case WaitKind::Completion:
      return name_of_io(task, wait.object);
    case WaitKind::PercpuRwSemaphore:
    case WaitKind::RwSemaphore:  // until 5.6 the former has one of these
      return storage_.frozen_file_system(wait.object);
    default:
      return std::nullopt;
  }
}

// Who waits for a bio (submit_bio_wait) has the completion on the stack, and there or elsewhere the
// bio, to which then something on the stack points.
std::optional<std::string> Waits::name_of_io(const Task& task, GuestVirtual completion) const {
  const auto offset = storage_.completion_in_bio();
  if (!offset || !is_on_stack(task, completion) || !is_on_stack(task, *task.saved_sp)) {
    return std::nullopt;
  }
  const GuestVirtual end = *task.stack + stack_size_;
  for (GuestVirtual at = *task.saved_sp; at < end && words_.take(); at = at + word) {
    const auto value = read_pointer(memory_, at);
    if (!value) continue;
    const bool is_inside = *value == completion;
    const GuestVirtual bio = is_inside ? GuestVirtual{at.value - *offset} : *value;
    if (auto name = storage_.io(bio, completion)) return name;
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
