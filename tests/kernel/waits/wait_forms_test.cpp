#include "kernel/waits/wait_forms.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr ReleaseNumber recent{6, 1};

WaitForm form_by(const MadeTypes& made, WaitKind kind, ReleaseNumber release = recent) {
  KernelTypes types;
  types.add({std::shared_ptr<void>(), &made});
  const auto form = form_of(kind, types, release);
  REQUIRE(form);
  return *form;
}

}  // namespace

TEST_CASE("wait forms: the kind of a wait by the function that sleeps, in each version") {
  const auto kind = [](const char* function) {
    const auto found = wait_of_function(function);
    return found ? std::string(name_of(*found)) : "none";
  };
  CHECK(kind("__mutex_lock_slowpath") == "mutex");
  CHECK(kind("__mutex_lock.constprop.0") == "mutex");
  CHECK(kind("__ww_mutex_lock.isra.2") == "mutex");
  CHECK(kind("rwsem_down_read_failed") == "rw_semaphore");  // until 5.2
  CHECK(kind("rwsem_down_write_slowpath") == "rw_semaphore");
  CHECK(kind("__down") == "semaphore");
  CHECK(kind("___down_common") == "semaphore");
  CHECK(kind("__down_interruptible") == "semaphore");
  CHECK(kind("wait_for_completion_killable") == "completion");
  CHECK(kind("__wait_for_common") == "completion");
  CHECK(kind("percpu_rwsem_wait") == "percpu_rw_semaphore");
  CHECK(kind("folio_wait_bit_common") == "page");
  CHECK(kind("wait_on_page_bit_killable") == "page");
  CHECK(kind("__lock_page") == "page");
  CHECK(kind("out_of_line_wait_on_bit_lock") == "bit");
  CHECK(kind("__wait_on_buffer") == "bit");
}

TEST_CASE("wait forms: other functions are no wait, however their names begin") {
  for (const char* function : {"schedule", "mutex_lock", "down_read", "__down_read_trylock",
                               "percpu_rwsem_wait_more", "", "__wait_for_common_io", "do_wait"}) {
    INFO(function);
    CHECK_FALSE(wait_of_function(function));
  }
}

TEST_CASE("wait forms: without types they are as kernels without lock debugging have them") {
  const MadeTypes none;
  const WaitForm mutex = form_by(none, WaitKind::Mutex);
  CHECK(mutex.task == 16);
  CHECK(mutex.link == 0);
  CHECK(mutex.head == 16U);
  CHECK(form_by(none, WaitKind::RwSemaphore).head == 24U);
  CHECK(form_by(none, WaitKind::Semaphore).head == 8U);
  const WaitForm queue = form_by(none, WaitKind::WaitQueue);
  CHECK(queue.task == 8);
  CHECK(queue.link == 24);
  CHECK(queue.head == 8U);
  const WaitForm page = form_by(none, WaitKind::Page);
  CHECK(page.task == 24);
  CHECK(page.link == 40);
  CHECK_FALSE(page.head);
  CHECK(page.object == 0);
}

TEST_CASE(
    "wait forms: without types the list of a lock's waiters stands where its release has it") {
  const KernelTypes none;
  const auto head = [&](WaitKind kind, ReleaseNumber release) -> std::optional<std::uint64_t> {
    const auto form = form_of(kind, none, release);
    return form ? form->head : std::nullopt;
  };
  CHECK(head(WaitKind::Mutex, {4, 4}) == 8U);
  CHECK(head(WaitKind::Mutex, {4, 9}) == 8U);
  CHECK(head(WaitKind::Mutex, {4, 10}) == 16U);
  CHECK(head(WaitKind::RwSemaphore, {4, 4}) == 8U);
  CHECK(head(WaitKind::RwSemaphore, {4, 19}) == 8U);
  CHECK(head(WaitKind::RwSemaphore, {5, 3}) == 24U);
  SECTION("and is not known where that is in doubt") {
    CHECK_FALSE(form_of(WaitKind::RwSemaphore, none, {4, 20}));
    CHECK_FALSE(form_of(WaitKind::RwSemaphore, none, {5, 2}));
    CHECK_FALSE(form_of(WaitKind::RwSemaphore, none, {}));
    CHECK_FALSE(form_of(WaitKind::Mutex, none, {}));
  }
}

TEST_CASE("wait forms: a completion has a queue of its own kind since 5.7") {
  const MadeTypes none;
  const WaitForm before = form_by(none, WaitKind::Completion, {4, 19});
  CHECK(before.task == 8);
  CHECK(before.link == 24);
  CHECK(before.head == 16U);
  const WaitForm since = form_by(none, WaitKind::Completion, {5, 7});
  CHECK(since.task == 0);
  CHECK(since.link == 8);
  CHECK(since.head == 16U);
}

TEST_CASE("wait forms: types decide, by the names of their time") {
  MadeTypes old;
  old.add("mutex", 40, {{"wait_list", 8, 16}, {"owner", 24}});
  old.add("mutex_waiter", 32, {{"list", 0, 16}, {"task", 16}});
  old.add("rw_semaphore", 40, {{"wait_list", 8, 16}});
  old.add("__wait_queue", 40,
          {{"flags", 0, 4}, {"private", 8}, {"func", 16}, {"task_list", 24, 16}});
  old.add("__wait_queue_head", 24, {{"lock", 0, 4}, {"task_list", 8, 16}});
  old.add("wait_bit_queue", 64, {{"key", 0, 24}, {"wait", 24, 40}});
  CHECK(form_by(old, WaitKind::Mutex, {4, 4}).head == 8U);
  CHECK(form_by(old, WaitKind::RwSemaphore, {4, 4}).head == 8U);
  CHECK(form_by(old, WaitKind::WaitQueue, {4, 4}).link == 24);
  const WaitForm bit = form_by(old, WaitKind::Bit, {4, 4});
  CHECK(bit.task == 32);
  CHECK(bit.link == 48);
  CHECK(bit.object == 0);
}

}  // namespace photon_dmesg::test
