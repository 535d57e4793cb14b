#include "kernel/waits/wait_forms.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace photon_dmesg {
namespace {

// Functions that sleep, by how their names begin. What compilers add (.isra.0) comes behind.
struct Sleeper {
  std::string_view name;
  bool is_prefix;
  WaitKind kind;
};
constexpr std::array sleepers = {
    Sleeper{"__mutex_lock", true, WaitKind::Mutex},
    Sleeper{"__ww_mutex_lock", true, WaitKind::Mutex},
    Sleeper{"rwsem_down_", true, WaitKind::RwSemaphore},
    Sleeper{"__down", false, WaitKind::Semaphore},
    Sleeper{"__down_common", false, WaitKind::Semaphore},
    Sleeper{"___down_common", false, WaitKind::Semaphore},
    Sleeper{"__down_interruptible", false, WaitKind::Semaphore},
    Sleeper{"__down_killable", false, WaitKind::Semaphore},
    Sleeper{"__down_timeout", false, WaitKind::Semaphore},
    Sleeper{"__wait_for_common", false, WaitKind::Completion},
    Sleeper{"wait_for_common", false, WaitKind::Completion},
    Sleeper{"wait_for_completion", true, WaitKind::Completion},
    Sleeper{"percpu_rwsem_wait", false, WaitKind::PercpuRwSemaphore},
    Sleeper{"folio_wait_bit_common", false, WaitKind::Page},
    Sleeper{"__folio_lock", true, WaitKind::Page},
    Sleeper{"wait_on_page_bit", true, WaitKind::Page},
    Sleeper{"__lock_page", true, WaitKind::Page},
    Sleeper{"__wait_on_bit", true, WaitKind::Bit},
    Sleeper{"out_of_line_wait_on_bit", true, WaitKind::Bit},
    Sleeper{"__wait_on_buffer", false, WaitKind::Bit},
};

// Structures that the kernel knows only in one source file each, and which have been the same in
// all versions: the types of most kernels have them nevertheless.
std::uint64_t at(const KernelTypes& types, std::initializer_list<std::string_view> paths,
                 std::uint64_t usual) {
  const auto field = types.find_any(paths);
  return field ? field->offset : usual;
}

std::uint64_t queue_task(const KernelTypes& types) {
  return at(types, {"wait_queue_entry.private", "__wait_queue.private"}, 8);
}

std::uint64_t queue_link(const KernelTypes& types) {
  return at(types, {"wait_queue_entry.entry", "__wait_queue.task_list"}, 24);
}

std::uint64_t queue_head(const KernelTypes& types) {
  return at(types, {"wait_queue_head.head", "__wait_queue_head.task_list"}, 8);
}

// A wait_queue_entry inside of something else.
WaitForm queued_at(const KernelTypes& types, std::uint64_t entry) {
  WaitForm form;
  form.task = entry + queue_task(types);
  form.link = entry + queue_link(types);
  return form;
}

WaitForm lock_form(std::uint64_t task, std::uint64_t link, std::uint64_t head) {
  WaitForm form;
  form.task = task;
  form.link = link;
  form.head = head;
  return form;
}

// Where locks have the ring of their waiters, by types or by release.
std::optional<std::uint64_t> mutex_head(const KernelTypes& types, ReleaseNumber release) {
  if (const auto field = types.find("mutex.wait_list")) return field->offset;
  if (release == ReleaseNumber{}) return std::nullopt;
  // {count, wait_lock, wait_list, owner...}, since 4.10 {owner, wait_lock, osq, wait_list}.
  return release < ReleaseNumber{4, 10} ? 8 : 16;
}

std::optional<std::uint64_t> rwsem_head(const KernelTypes& types, ReleaseNumber release) {
  if (const auto field = types.find("rw_semaphore.wait_list")) return field->offset;
  // {count, wait_list, wait_lock, osq, owner}, later {count, owner, osq, wait_lock, wait_list}: in
  // 4.19 not yet, in 5.3 certainly.
  if (release >= ReleaseNumber{5, 3}) return 24;
  return release == ReleaseNumber{} || release >= ReleaseNumber{4, 20}
             ? std::nullopt
             : std::optional<std::uint64_t>(8);
}

WaitForm completion_form(const KernelTypes& types, ReleaseNumber release) {
  const std::uint64_t wait = at(types, {"completion.wait"}, 8);
  if (release >= ReleaseNumber{5, 7}) {
    return lock_form(at(types, {"swait_queue.task"}, 0), at(types, {"swait_queue.task_list"}, 8),
                     wait + at(types, {"swait_queue_head.task_list"}, 8));
  }
  WaitForm form = queued_at(types, 0);
  form.head = wait + queue_head(types);
  return form;
}

}  // namespace

std::optional<WaitKind> wait_of_function(std::string_view function) {
  const std::string_view plain = function.substr(0, function.find('.'));
  const auto* found = std::find_if(sleepers.begin(), sleepers.end(), [&](const Sleeper& sleeper) {
    return sleeper.is_prefix ? plain.starts_with(sleeper.name) : plain == sleeper.name;
  });
  return found == sleepers.end() ? std::nullopt : std::optional(found->kind);
}

std::optional<WaitForm> form_of(WaitKind kind, const KernelTypes& types, ReleaseNumber release) {
  WaitForm form;
  switch (kind) {
    case WaitKind::Mutex: {
      const auto head = mutex_head(types, release);
      if (!head) return std::nullopt;
      form = lock_form(at(types, {"mutex_waiter.task"}, 16), at(types, {"mutex_waiter.list"}, 0),
                       *head);
      break;
    }
    case WaitKind::RwSemaphore: {
      const auto head = rwsem_head(types, release);
      if (!head) return std::nullopt;
      form = lock_form(at(types, {"rwsem_waiter.task"}, 16), at(types, {"rwsem_waiter.list"}, 0),
                       *head);
      break;
    }
    case WaitKind::Semaphore:
      form =
          lock_form(at(types, {"semaphore_waiter.task"}, 16),
                    at(types, {"semaphore_waiter.list"}, 0), at(types, {"semaphore.wait_list"}, 8));
      break;
    case WaitKind::Completion:
      form = completion_form(types, release);
      break;
    case WaitKind::PercpuRwSemaphore:
      form = queued_at(types, 0);
      form.head = at(types, {"percpu_rw_semaphore.waiters"}, 64) + queue_head(types);
      break;
    case WaitKind::Page:
      form = queued_at(types, at(types, {"wait_page_queue.wait"}, 16));
      form.object = at(types, {"wait_page_queue.folio", "wait_page_queue.page"}, 0);
      break;
    case WaitKind::Bit:
      form =
          queued_at(types, at(types, {"wait_bit_queue_entry.wq_entry", "wait_bit_queue.wait"}, 24));
      form.object = at(types, {"wait_bit_queue_entry.key", "wait_bit_queue.key"}, 0);
      break;
    case WaitKind::WaitQueue:
    case WaitKind::RtMutex:
      form = queued_at(types, 0);
      form.head = queue_head(types);
      break;
  }
  form.kind = kind;
  return form;
}

}  // namespace photon_dmesg
