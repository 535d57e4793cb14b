#include "kernel/self/derived_types.h"

#include <catch2/catch.hpp>
#include <functional>

#include "kernel/find/running_kernel.h"
#include "kernel/self/guest_types.h"
#include "kernel/self/task_ring.h"
#include "support/bytes.h"
#include "support/fixture_guest.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// Where a kernel has the members of a task.
struct Form {
  std::uint64_t state = 24;
  std::uint64_t stack = 32;
  std::uint64_t flags = 44;
  std::uint64_t tasks = 2000;
  std::uint64_t pid = 2400;
  std::uint64_t real_parent = 2416;
  std::uint64_t group_leader = 2480;
  std::uint64_t thread_node = 2600;
  std::uint64_t comm = 3000;
  std::uint64_t signal = 3080;
  std::uint64_t sp = 5304;
  std::uint64_t thread_head = 16;  // in signal_struct
  std::uint64_t mark = 0;          // in a stack
};

// Tasks in a fixture's image, behind what its kernel has there.
class Tasks {
 public:
  Tasks(FixtureGuest& guest, const Form& form) : guest_(guest), form_(form) {
    add("swapper/0", 0, 0);
    add("init", 0, 0x400100);
    add("kthreadd", 0, 0x208040);
    for (const char* name : {"rcu_preempt", "kworker/0:0", "ksoftirqd/0"}) add(name, 2, 0x208040);
    for (const char* name : {"sshd", "sh"}) add(name, 1, 0x400100);
    put(0, form_.flags, 0x200002, 4);
    put(0, form_.state, 0, 4);
    link();
  }

  [[nodiscard]] GuestVirtual task(std::size_t index) const { return address(place_of(index)); }

  void put(std::size_t index, std::uint64_t offset, std::uint64_t value, std::size_t width = 8) {
    write(place_of(index) + offset, value, width);
  }

  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  static constexpr std::uint64_t begin = 0x200000;
  static constexpr std::uint64_t stacks = 0x100000;
  static constexpr std::uint64_t signals = 0x1c0000;

  // No two have the same distance: what another task has there fits none.
  [[nodiscard]] static std::uint64_t place_of(std::size_t index) {
    return index * 0x3000 + index * index * 64;
  }
  [[nodiscard]] GuestVirtual address(std::uint64_t place) const {
    return guest_.address("_text") + begin + place;
  }
  void write(std::uint64_t place, std::uint64_t value, std::size_t width = 8) {
    guest_.memory().write_text(FixtureGuest::load_address + begin + place,
                               little_endian(value, width));
  }

  void add(const std::string& name, std::size_t parent, std::uint64_t flags) {
    const std::size_t i = count_++;
    const std::uint64_t stack = stacks + i * 0x8000;
    const std::uint64_t signal = signals + i * 0x400;
    const std::uint64_t node = place_of(i) + form_.thread_node;
    guest_.memory().write_text(FixtureGuest::load_address + begin + place_of(i) + form_.comm, name);
    put(i, form_.state, 1, 4);
    put(i, form_.stack, address(stack).value);
    put(i, form_.flags, flags, 4);
    put(i, form_.pid, i, 4);
    put(i, form_.pid + 4, i, 4);
    put(i, form_.real_parent, task(parent).value);
    put(i, form_.real_parent + 8, task(parent).value);
    put(i, form_.group_leader, task(i).value);
    put(i, form_.sp, address(stack + 0x3e00 + i * 8).value);
    put(i, form_.signal, address(signal).value);
    for (const std::uint64_t link : {0U, 8U}) {
      write(node + link, address(signal + form_.thread_head).value);
      write(signal + form_.thread_head + link, address(node).value);
    }
    write(stack + form_.mark, 0x57ac6e9d);
  }

  void link() {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t next = (i + 1) % count_;
      put(i, form_.tasks, (task(next) + form_.tasks).value);
      put(next, form_.tasks + 8, (task(i) + form_.tasks).value);
    }
  }

  FixtureGuest& guest_;
  Form form_;
  std::size_t count_ = 0;
};

std::shared_ptr<const DerivedTypes> derive(FixtureGuest& guest) {
  CollectedDiagnostics diagnostics;
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, diagnostics);
  REQUIRE(running);
  auto types = DerivedTypes::find(*running->image, diagnostics);
  CHECK(diagnostics.warnings().empty());
  return types;
}

// What is derived when `change` has been made to the tasks.
std::shared_ptr<const DerivedTypes> derive_with(const std::function<void(Tasks&, Form&)>& change) {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  Form form;
  Tasks tasks(guest, form);
  change(tasks, form);
  return derive(guest);
}

}  // namespace

TEST_CASE("derived types: each member is where the tasks show it") {
  Form older;
  older.state = 0;
  older.stack = 8;
  older.flags = 20;
  older.mark = 104;  // behind the thread_info
  Form shuffled;
  shuffled.comm = 700;
  shuffled.tasks = 3400;
  shuffled.sp = 808;
  shuffled.stack = 6000;
  for (const Form& form : {Form{}, older, shuffled}) {
    CAPTURE(form.stack);
    FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
    const Tasks tasks(guest, form);
    const auto derived = derive(guest);
    REQUIRE(derived);
    CHECK(derived->init_task() == tasks.task(0));
    KernelTypes types;
    types.add(derived);
    CHECK(types.field("task_struct.tasks.next").offset == form.tasks);
    CHECK(types.field("task_struct.tasks.prev").offset == form.tasks + 8);
    CHECK(types.field("task_struct.comm").offset == form.comm);
    CHECK(types.field("task_struct.comm").size == 16);
    CHECK(types.field("task_struct.pid").offset == form.pid);
    CHECK(types.field("task_struct.tgid").offset == form.pid + 4);
    CHECK(types.field("task_struct.stack").offset == form.stack);
    CHECK(types.field("task_struct.thread.sp").offset == form.sp);
    CHECK(types.field("task_struct.real_parent").offset == form.real_parent);
    CHECK(types.field("task_struct.group_leader").offset == form.group_leader);
    CHECK(types.field("task_struct.__state").offset == form.state);
    CHECK(types.field("task_struct.state").offset == form.state);
    CHECK(types.field("task_struct.signal").offset == form.signal);
    CHECK(types.field("task_struct.thread_node").offset == form.thread_node);
    CHECK(types.field("signal_struct.thread_head").offset == form.thread_head);
    CHECK(types.field("task_struct.flags").offset == form.flags);
    CHECK_FALSE(types.find("task_struct.mm"));
  }
}

TEST_CASE("derived types: a pointer that all kernel threads share is not taken for their flags") {
  constexpr std::uint64_t files = 3200;  // as task_struct.files
  const auto derived = derive_with([](Tasks& tasks, const Form&) {
    for (const std::size_t kernels : {0U, 2U, 3U, 4U, 5U}) {
      tasks.put(kernels, files, 0xffffffff82a54bc0);
    }
    for (const std::size_t users : {1U, 6U, 7U}) {
      tasks.put(users, files, 0xffff888000000000 + users * 0x400);
    }
  });
  REQUIRE(derived);
  KernelTypes types;
  types.add(derived);
  CHECK(types.field("task_struct.flags").offset == Form{}.flags);
}

TEST_CASE("derived types: nothing without a list of tasks that goes around both ways") {
  CHECK(derive_with([](Tasks&, const Form&) {}));
  FixtureGuest bare(PRINTK_RINGBUFFER_KERNEL);
  CHECK_FALSE(derive(bare));
  CHECK_FALSE(derive_with([](Tasks& tasks, const Form& form) {  // back into the middle
    tasks.put(5, form.tasks, (tasks.task(2) + form.tasks).value);
  }));
  CHECK_FALSE(derive_with(
      [](Tasks& tasks, const Form& form) { tasks.put(5, form.tasks + 8, tasks.task(1).value); }));
  CHECK_FALSE(derive_with([](Tasks& tasks, const Form& form) { tasks.put(5, form.tasks, 0); }));
  CHECK_FALSE(derive_with(
      [](Tasks& tasks, const Form& form) { tasks.put(2, form.comm, 'x', 1); }));  // no kthreadd
  CHECK_FALSE(derive_with([](Tasks& tasks, const Form& form) {
    tasks.put(5, form.comm, ~std::uint64_t{0});
    tasks.put(5, form.comm + 8, ~std::uint64_t{0});  // a name without an end
  }));
}

TEST_CASE("derived types: a name lies within what is read around a task's node, to its end") {
  const auto derive_with_name_at = [](std::uint64_t comm) {
    FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
    Form form;
    form.comm = form.tasks + comm;
    const Tasks tasks(guest, form);
    return derive(guest);
  };
  CHECK(derive_with_name_at(task_reach - comm_bytes));
  CHECK_FALSE(derive_with_name_at(task_reach - comm_bytes + 8));
  CHECK_FALSE(derive_with_name_at(task_reach));
}

TEST_CASE("derived types: what two places fit is left out") {
  const auto numbers = derive_with([](Tasks& tasks, const Form& form) {
    for (std::size_t i = 0; i < tasks.size(); ++i) tasks.put(i, form.pid + 8, i, 4);
  });
  REQUIRE(numbers);
  CHECK(numbers->find_struct("task_struct")->find("pid") == nullptr);
  CHECK(numbers->find_struct("task_struct")->find("stack") != nullptr);
  // Without stacks nothing is of use.
  CHECK_FALSE(derive_with([](Tasks& tasks, const Form& form) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      tasks.put(i, form.stack, tasks.task(i).value);
    }
  }));
}

TEST_CASE("derived types: a process that has ended has no stack, and may be among the tasks") {
  const auto types =
      derive_with([](Tasks& tasks, const Form& form) { tasks.put(6, form.stack, 0); });
  REQUIRE(types);
  CHECK(types->find_struct("task_struct")->member("stack").offset == Form{}.stack);
}

TEST_CASE("guest types: without any other source they are derived") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const Tasks tasks(guest, Form{});
  CollectedDiagnostics diagnostics;
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, diagnostics);
  REQUIRE(running);
  const GuestKernel kernel = GuestKernel::attach(*running, guest.vmlinux(), diagnostics);
  const KernelTypes types = types_of(kernel, diagnostics);
  REQUIRE(types.sources().size() == 1);
  CHECK(types.field("task_struct.pid").source->name() == "the guest's tasks themselves");
}

TEST_CASE("guest types: where no symbol tells, the list of tasks is found by its form") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const Form form;
  const Tasks tasks(guest, form);
  CollectedDiagnostics diagnostics;
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, diagnostics);
  REQUIRE(running);
  const GuestKernel kernel = GuestKernel::attach(*running, guest.vmlinux(), diagnostics);
  REQUIRE_FALSE(kernel.find_address("init_task"));
  const auto first = [&](std::uint64_t comm) {
    auto made = std::make_shared<MadeTypes>();
    made->add("task_struct", 6000, {{"tasks", form.tasks, 16}, {"comm", comm, 16}});
    KernelTypes types;
    types.add(made);
    return find_first_task(kernel, types, diagnostics);
  };
  CHECK(first(form.comm) == tasks.task(0));
  CHECK_FALSE(first(form.comm + 8));  // the types are another kernel's
  CHECK_FALSE(find_first_task(kernel, KernelTypes(), diagnostics));
}

}  // namespace photon_dmesg::test
