#include "kernel/waits/waits.h"

#include <catch2/catch.hpp>

#include "support/storage_guest.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t place_on_stack = 0x3000;  // of what a task waits with

Trace asleep_in(const std::string& function) {
  Trace trace;
  for (const std::string& name : {std::string("__schedule"), std::string("schedule"), function}) {
    Frame frame;
    frame.place = CodePlace{name, 0x10, 0x100, {}};
    trace.frames.push_back(frame);
  }
  return trace;
}

// Tasks that sleep, and a lock that a test lays out.
struct Sleepers {
  StorageGuest guest;
  MadeTask swapper = guest.task(0, "swapper/0");
  MadeTask holder = guest.task(1, "holder");
  MadeTask first = sleeper(2, "first");
  MadeTask second = sleeper(3, "second");

  explicit Sleepers(const std::string& release) : guest(release) {}

  MadeTask sleeper(std::int32_t pid, const std::string& comm) {
    const MadeTask task = guest.task(pid, comm);
    guest.write(task.address + task_at::state, 2, 4);
    guest.write(task.address + task_at::sp, task.stack + 0x2000);
    guest.write(task.address + task_at::last_arrival, 1000);
    return task;
  }

  // Puts `task` into the ring at `head`, by an object with its node at 0 and its task at 16, which
  // mutexes, semaphores and rw_semaphores have.
  GuestVirtual wait_in(const MadeTask& task, GuestVirtual head) {
    const GuestVirtual waiter = task.stack + place_on_stack;
    guest.append(head, waiter);
    guest.write(waiter + 16, task.address);
    return waiter;
  }

  // What `task` waits for if it sleeps in `function`, shown as text.
  std::string find(const MadeTask& task, const std::string& function) {
    const Tasks tasks = guest.tasks();
    const CodeMap code(guest.kernel(), {});
    const Waits waits(guest.kernel(), guest.types(), tasks, code);
    const auto wait = waits.find(*tasks.find(task.address), asleep_in(function));
    if (!wait) return "nothing";
    std::string text = fmt::format("{} {}", name_of(wait->kind),
                                   wait->name.value_or(fmt::format("{}", wait->object)));
    if (wait->owner) {
      const Task* owner = tasks.find(*wait->owner);
      text += fmt::format(" of {}{}", wait->owner_is_certain ? "" : "perhaps ",
                          owner == nullptr ? "nobody" : owner->comm);
    }
    return text;
  }
};

// A mutex of 4.4 and 4.9: {count, wait_lock, wait_list, owner}.
struct OldMutex : Sleepers {
  GuestVirtual lock = guest.variable("some_mutex");

  explicit OldMutex(const std::string& release = "4.4.121") : Sleepers(release) {
    guest.type("mutex", 40, {{"count", 0, 4}, {"wait_list", 8, 16}, {"owner", 24}});
    guest.begin_list(lock + 8);
  }
};

// Since 4.10: {owner, wait_lock, osq, wait_list}.
struct Mutex : Sleepers {
  GuestVirtual lock = guest.variable("some_mutex");

  explicit Mutex(const std::string& release = "6.1.0") : Sleepers(release) {
    guest.type("mutex", 32, {{"owner", 0}, {"wait_lock", 8, 4}, {"wait_list", 16, 16}});
    guest.begin_list(lock + 16);
  }
};

struct RwSemaphore : Sleepers {
  GuestVirtual lock = guest.variable("some_rwsem");

  explicit RwSemaphore(const std::string& release) : Sleepers(release) {
    guest.type("rw_semaphore", 40, {{"count", 0}, {"owner", 8}, {"wait_list", 24, 16}});
    guest.begin_list(lock + 24);
    wait_in(first, lock + 24);
  }
};

}  // namespace

TEST_CASE("waits: a mutex by the ring of its waiters, its owner without the flags, since 4.10") {
  Mutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 16);
  mutex.wait_in(mutex.second, mutex.lock + 16);
  for (const std::uint64_t flags : {0U, 1U, 2U, 4U, 7U}) {
    mutex.guest.write(mutex.lock, mutex.holder.address + flags);
    CHECK(mutex.find(mutex.first, "__mutex_lock.isra.0") == "mutex some_mutex of holder");
    CHECK(mutex.find(mutex.second, "__mutex_lock_slowpath") == "mutex some_mutex of holder");
  }
  mutex.guest.write(mutex.lock, 1);
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "mutex some_mutex");
}

TEST_CASE("waits: until 4.9 a mutex has its owner where a waiter has its task") {
  OldMutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 8);
  mutex.wait_in(mutex.second, mutex.lock + 8);
  CHECK(mutex.find(mutex.first, "__mutex_lock_slowpath") == "mutex some_mutex");
  mutex.guest.write(mutex.lock + 24, mutex.holder.address);
  CHECK(mutex.find(mutex.first, "__mutex_lock_slowpath") == "mutex some_mutex of holder");
  CHECK(mutex.find(mutex.second, "__mutex_lock_slowpath") == "mutex some_mutex of holder");
}

TEST_CASE("waits: until 4.9 an owner has no flags") {
  OldMutex mutex("4.9.0");
  mutex.wait_in(mutex.first, mutex.lock + 8);
  mutex.guest.write(mutex.lock + 24, mutex.holder.address + 1);
  CHECK(mutex.find(mutex.first, "__mutex_lock_slowpath") == "mutex some_mutex");
}

TEST_CASE("waits: a lock that is followed by a task's address is a lock all the same") {
  Mutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 16);
  mutex.guest.write(mutex.lock + 32, mutex.holder.address);
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "mutex some_mutex");
}

TEST_CASE("waits: the writer of a rw_semaphore is certain, the last reader is not, since 5.3") {
  RwSemaphore semaphore("6.1.0");
  const auto found = [&](std::uint64_t owner) {
    semaphore.guest.write(semaphore.lock + 8, owner);
    return semaphore.find(semaphore.first, "rwsem_down_read_slowpath");
  };
  CHECK(found(semaphore.holder.address.value) == "rw_semaphore some_rwsem of holder");
  CHECK(found(semaphore.holder.address.value | 2) == "rw_semaphore some_rwsem of holder");
  CHECK(found(semaphore.holder.address.value | 1) == "rw_semaphore some_rwsem of perhaps holder");
  CHECK(found(semaphore.holder.address.value | 3) == "rw_semaphore some_rwsem of perhaps holder");
  CHECK(found(3) == "rw_semaphore some_rwsem");
  CHECK(found(TaskGuest::nowhere.value) == "rw_semaphore some_rwsem");
}

TEST_CASE("waits: before 5.3 readers leave no more than a mark") {
  RwSemaphore semaphore("4.19.0");
  semaphore.guest.write(semaphore.lock + 8, 1);
  CHECK(semaphore.find(semaphore.first, "rwsem_down_write_failed") == "rw_semaphore some_rwsem");
  semaphore.guest.write(semaphore.lock + 8, semaphore.holder.address);
  CHECK(semaphore.find(semaphore.first, "rwsem_down_write_failed") ==
        "rw_semaphore some_rwsem of holder");
}

TEST_CASE("waits: a reader that was made after the wait began has not read") {
  RwSemaphore semaphore("6.1.0");
  semaphore.guest.write(semaphore.lock + 8, semaphore.holder.address + 1);
  semaphore.guest.write(semaphore.holder.address + task_at::start_time, 5000);
  CHECK(semaphore.find(semaphore.first, "rwsem_down_write_slowpath") == "rw_semaphore some_rwsem");
}

TEST_CASE("waits: a ring that is broken proves nothing") {
  Mutex mutex;
  const GuestVirtual waiter = mutex.wait_in(mutex.first, mutex.lock + 16);
  mutex.wait_in(mutex.second, mutex.lock + 16);
  SECTION("next") {
    mutex.guest.write(waiter, TaskGuest::nowhere);
  }
  SECTION("prev") {
    mutex.guest.write(waiter + 8, mutex.lock);
  }
  SECTION("the other waiter") {
    mutex.guest.write(mutex.second.stack + place_on_stack, GuestVirtual{0x41414141});
  }
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "nothing");
}

TEST_CASE("waits: a broken ring is walked once, however many are in it") {
  Mutex mutex;
  std::vector<GuestVirtual> heads(4);
  for (GuestVirtual& head : heads) {
    head = mutex.guest.allocate(16);
    mutex.guest.begin_list(head);
  }
  for (std::int32_t pid = 10; pid < 160; ++pid) {
    const MadeTask task = mutex.sleeper(pid, "many");
    GuestVirtual waiter = task.stack + place_on_stack;
    for (const GuestVirtual head : heads) {
      mutex.guest.append(head, waiter);
      mutex.guest.write(waiter + 16, task.address);
      waiter = waiter + 64;
    }
  }
  for (const GuestVirtual head : heads) mutex.guest.write(head + 8, TaskGuest::nowhere);
  const Tasks tasks = mutex.guest.tasks();
  const CodeMap code(mutex.guest.kernel(), {});
  const Waits waits(mutex.guest.kernel(), mutex.guest.types(), tasks, code);
  const Trace trace = asleep_in("__mutex_lock");
  for (const Task& task : tasks.all()) CHECK_FALSE(waits.find(task, trace));
  waits.warn_if_exceeded(mutex.guest.diagnostics());
  CHECK(mutex.guest.diagnostics().warnings().empty());
}

TEST_CASE("waits: where more may be waiters than in a sound guest the rest is left out") {
  Mutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 16);
  for (std::int32_t pid = 10; pid < 43; ++pid) {
    const MadeTask task = mutex.sleeper(pid, "many");
    mutex.guest.write(task.address + task_at::sp, task.stack);
    for (GuestVirtual at = task.stack; at < task.stack_end(); at = at + 8) {
      mutex.guest.write(at, task.address);
    }
  }
  const Tasks tasks = mutex.guest.tasks();
  const CodeMap code(mutex.guest.kernel(), {});
  const Waits waits(mutex.guest.kernel(), mutex.guest.types(), tasks, code);
  const Trace trace = asleep_in("__mutex_lock");
  CHECK(waits.find(*tasks.find(mutex.first.address), trace));
  for (const Task& task : tasks.all()) (void)waits.find(task, trace);
  mutex.wait_in(mutex.second, mutex.lock + 16);
  CHECK_FALSE(waits.find(*tasks.find(mutex.second.address), trace));
  waits.warn_if_exceeded(mutex.guest.diagnostics());
  CHECK(mutex.guest.diagnostics().warnings() ==
        std::vector<std::string>{"the stacks of all tasks: more than 66112 places that may be "
                                 "waiters: the rest is left out"});
}

TEST_CASE("waits: of stacks no more is looked through than those of a sound guest have") {
  Mutex mutex;
  for (std::int32_t pid = 10; pid < 170; ++pid) {
    const MadeTask task = mutex.sleeper(pid, "many");
    mutex.guest.write(task.address + task_at::sp, task.stack);
  }
  mutex.wait_in(mutex.first, mutex.lock + 16);
  const Tasks tasks = mutex.guest.tasks();
  const CodeMap code(mutex.guest.kernel(), {});
  const Waits waits(mutex.guest.kernel(), mutex.guest.types(), tasks, code);
  const Trace trace = asleep_in("__mutex_lock");
  const Task& first = *tasks.find(mutex.first.address);
  CHECK(waits.find(first, trace));
  for (const Task& task : tasks.all()) (void)waits.find(task, trace);
  CHECK_FALSE(waits.find(first, trace));
  waits.warn_if_exceeded(mutex.guest.diagnostics());
  const std::vector<std::string>& warnings = mutex.guest.diagnostics().warnings();
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Catch::EndsWith("words that may name waiters: the rest is left out"));
}

TEST_CASE("waits: its own address on a task's stack is no wait by itself") {
  Mutex mutex;
  mutex.guest.write(mutex.first.stack + 0x2800, mutex.first.address);
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "nothing");
  mutex.wait_in(mutex.first, mutex.lock + 16);
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "mutex some_mutex");
}

TEST_CASE("waits: what lies below the stack pointer is left over") {
  Mutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 16);
  mutex.guest.write(mutex.first.address + task_at::sp, mutex.first.stack + 0x3800);
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "nothing");
}

TEST_CASE("waits: a stack pointer that is not in the task's stack is none") {
  Mutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 16);
  for (const GuestVirtual sp : {GuestVirtual{8}, GuestVirtual{0x7ffc00000000}, TaskGuest::nowhere,
                                GuestVirtual{mutex.first.stack.value - 8}, mutex.first.stack_end(),
                                GuestVirtual{~std::uint64_t{7}}}) {
    INFO(hex(sp));
    mutex.guest.write(mutex.first.address + task_at::sp, sp);
    CHECK(mutex.find(mutex.first, "__mutex_lock") == "nothing");
  }
}

TEST_CASE("waits: whoever runs, or does not sleep, waits for nothing") {
  Mutex mutex;
  mutex.wait_in(mutex.first, mutex.lock + 16);
  SECTION("on a CPU") {
    mutex.guest.write(mutex.first.address + task_at::on_cpu, 1, 4);
  }
  SECTION("runnable") {
    mutex.guest.write(mutex.first.address + task_at::state, 0, 4);
  }
  SECTION("without a stack") {
    mutex.guest.write(mutex.first.address + task_at::stack, 0);
  }
  CHECK(mutex.find(mutex.first, "__mutex_lock") == "nothing");
}

TEST_CASE("waits: since 7.0 the ring has no head, and the task itself names its lock") {
  Sleepers sleepers("7.3.4");
  TaskGuest& guest = sleepers.guest;
  guest.type("mutex", 32, {{"owner", 0}, {"first_waiter", 16}});
  const GuestVirtual lock = guest.variable("some_mutex");
  const GuestVirtual waiter = sleepers.first.stack + place_on_stack;
  guest.begin_list(waiter);
  guest.write(waiter + 16, sleepers.first.address);
  sleepers.wait_in(sleepers.second, waiter);
  guest.write(lock, sleepers.holder.address);
  guest.write(lock + 16, waiter);
  const std::string expected = "mutex some_mutex of holder";
  SECTION("by blocked_on") {
    for (const MadeTask& task : {sleepers.first, sleepers.second}) {
      guest.write(task.address + task_at::blocked_on, lock);
      CHECK(sleepers.find(task, "__mutex_lock") == expected);
    }
  }
  SECTION("by blocker, whose lowest bits are the kind") {
    guest.write(sleepers.second.address + task_at::blocker, lock + 2);
    CHECK(sleepers.find(sleepers.second, "__mutex_lock") == expected);
  }
  SECTION("not if the lock's waiters are others") {
    guest.write(sleepers.first.address + task_at::blocked_on, lock);
    const GuestVirtual other = guest.allocate(32);
    guest.begin_list(other);
    guest.write(lock + 16, other);
    CHECK(sleepers.find(sleepers.first, "__mutex_lock") == "nothing");
  }
}

TEST_CASE("waits: a completion, before and since 5.7") {
  SECTION("before") {
    Sleepers sleepers("4.19.0");
    const GuestVirtual done = sleepers.guest.variable("some_completion");
    sleepers.guest.begin_list(done + 16);
    const GuestVirtual entry = sleepers.first.stack + place_on_stack;
    sleepers.guest.write(entry + 8, sleepers.first.address);
    sleepers.guest.append(done + 16, entry + 24);
    CHECK(sleepers.find(sleepers.first, "wait_for_completion") == "completion some_completion");
  }
  SECTION("since") {
    Sleepers sleepers("6.1.0");
    const GuestVirtual done = sleepers.guest.variable("some_completion");
    sleepers.guest.begin_list(done + 16);
    const GuestVirtual entry = sleepers.first.stack + place_on_stack;
    sleepers.guest.write(entry, sleepers.first.address);
    sleepers.guest.append(done + 16, entry + 8);
    CHECK(sleepers.find(sleepers.first, "__wait_for_common") == "completion some_completion");
  }
}

TEST_CASE("waits: in D for nothing that is known a task waits for an event, in S for nothing") {
  Sleepers sleepers("6.1.0");
  TaskGuest& guest = sleepers.guest;
  const GuestVirtual queue = guest.variable("some_queue");
  guest.begin_list(queue + 8);
  const GuestVirtual entry = sleepers.first.stack + place_on_stack;
  guest.write(entry + 8, sleepers.first.address);
  guest.append(queue + 8, entry + 24);
  CHECK(sleepers.find(sleepers.first, "some_driver_wait") == "wait_queue some_queue");
  guest.write(sleepers.first.address + task_at::state, 1, 4);
  CHECK(sleepers.find(sleepers.first, "some_driver_wait") == "nothing");
}

TEST_CASE("waits: pages, buffers and locks of file systems are called by what they belong to") {
  Sleepers sleepers("6.1.0");
  StorageGuest& guest = sleepers.guest;
  guest.type("folio", 64, {{"mapping", 24}});
  guest.type("buffer_head", 64, {{"b_state", 0}, {"b_blocknr", 24}, {"b_bdev", 48}});
  const auto disk = guest.disk("sda");
  const GuestVirtual root = guest.file_system("sda", "ext4");
  const GuestVirtual file = guest.inode(root, 13);
  // A wait_queue_entry in the ring at `head`, some bytes behind what it is part of.
  const auto wait_at = [&](GuestVirtual head, std::uint64_t inner) {
    const GuestVirtual waiter = sleepers.first.stack + place_on_stack;
    guest.write(waiter + inner + 8, sleepers.first.address);
    guest.append(head, waiter + inner + 24);
    return waiter;
  };
  const GuestVirtual hash = guest.allocate(16);
  guest.begin_list(hash);
  SECTION("a page") {
    const GuestVirtual page = guest.allocate(64);
    guest.write(page + 24, file + inode_at::data);
    guest.write(wait_at(hash, 16), page);
    CHECK(sleepers.find(sleepers.first, "folio_wait_bit_common") ==
          "page page of inode 13 on sda (ext4)");
  }
  SECTION("a buffer, and a word of something else") {
    const GuestVirtual buffer = guest.allocate(64);
    guest.write(buffer + 24, 77);
    guest.write(wait_at(hash, 24), buffer);
    CHECK(sleepers.find(sleepers.first, "__wait_on_bit") == "bit " + hex(buffer));
    guest.write(buffer + 48, disk.device);
    CHECK(sleepers.find(sleepers.first, "__wait_on_bit") == "bit block 77 on sda");
  }
  SECTION("I/O, whose bio is on the stack or is pointed at from there") {
    guest.type("bio", 64, {{"bi_bdev", 8}, {"bi_private", 24}});
    const GuestVirtual done = sleepers.first.stack + 0x3800;
    guest.begin_list(done + 16);
    const GuestVirtual entry = sleepers.first.stack + place_on_stack;
    guest.write(entry, sleepers.first.address);
    guest.append(done + 16, entry + 8);
    CHECK(sleepers.find(sleepers.first, "__wait_for_common") == "completion " + hex(done));
    SECTION("on the stack") {
      const GuestVirtual bio = sleepers.first.stack + 0x3900;
      guest.write(bio + 8, disk.device);
      guest.write(bio + 24, done);
    }
    SECTION("elsewhere") {
      const GuestVirtual bio = guest.allocate(64);
      guest.write(bio + 8, disk.device);
      guest.write(bio + 24, done);
      guest.write(sleepers.first.stack + 0x3a00, bio);
    }
    CHECK(sleepers.find(sleepers.first, "__wait_for_common") == "completion I/O on sda");
  }
  SECTION("a file system that is frozen") {
    const GuestVirtual lock = root + super_block_at::locks + super_block_at::lock_size;
    guest.begin_list(lock + 72);
    wait_at(lock + 72, 0);
    guest.write(root + super_block_at::frozen, 4, 4);
    CHECK(sleepers.find(sleepers.first, "percpu_rwsem_wait") ==
          "percpu_rw_semaphore frozen file system sda (ext4)");
  }
  SECTION("a lock in what is known") {
    const GuestVirtual lock = file + inode_at::rwsem;
    guest.begin_list(lock + 24);
    sleepers.wait_in(sleepers.first, lock + 24);
    CHECK(sleepers.find(sleepers.first, "rwsem_down_write_slowpath") ==
          "rw_semaphore i_rwsem of inode 13 on sda (ext4)");
  }
}

TEST_CASE("waits: an rt_mutex stands in the task itself") {
  Sleepers sleepers("6.1.0");
  TaskGuest& guest = sleepers.guest;
  guest.type("rt_mutex_waiter", 64, {{"lock", 48}});
  guest.type("rt_mutex_base", 32, {{"owner", 24}});
  const GuestVirtual lock = guest.variable("some_lock");
  const GuestVirtual waiter = sleepers.first.stack + place_on_stack;
  guest.write(waiter + 48, lock);
  guest.write(lock + 24, sleepers.holder.address + 1);
  guest.write(sleepers.first.address + task_at::pi_blocked_on, waiter);
  CHECK(sleepers.find(sleepers.first, "rtlock_slowlock") == "rt_mutex some_lock of holder");
}

}  // namespace photon_dmesg::test
