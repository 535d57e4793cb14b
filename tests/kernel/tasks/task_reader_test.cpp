#include "kernel/tasks/task_reader.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

Task read(TaskGuest& guest, const MadeTask& task) {
  const auto found = TaskReader(guest.kernel(), guest.types(), guest.cpus()).read(task.address);
  REQUIRE(found);
  return *found;
}

// The task_struct of 4.4: `state` is a signed long, and the CPU stands on the stack.
void make_old_types(TaskGuest& guest) {
  guest.type("task_struct", task_at::size,
             {{"state", task_at::state, 8},
              {"stack", task_at::stack},
              {"flags", task_at::flags, 4},
              {"tasks", task_at::tasks, 16},
              {"exit_state", task_at::exit_state, 4},
              {"pid", task_at::pid, 4},
              {"tgid", task_at::tgid, 4},
              {"comm", task_at::comm, 16}});
  guest.type("thread_info", 32, {{"task", 0}, {"flags", 8, 4}, {"cpu", 16, 4}});
}

}  // namespace

TEST_CASE("task: what arm64 saves of where it goes on stands in its task_struct") {
  TaskGuest guest("6.1.0");
  guest.type("thread_struct", 64, {{"cpu_context", 8, 24, "cpu_context"}});
  guest.type("cpu_context", 24, {{"fp", 0}, {"sp", 8}, {"pc", 16}});
  (void)guest.task(0, "swapper/0");
  const MadeTask task = guest.task(1234, "sh");
  guest.write_words(task.address + (task_at::sp - 24 + 8),
                    {task.stack.value + 0x3010, task.stack.value + 0x3000, 0xffff800008baedb8});
  const Task found = read(guest, task);
  CHECK(found.saved_fp == task.stack.value + 0x3010);
  CHECK(found.saved_sp == task.stack + 0x3000);
  CHECK(found.saved_ip == GuestVirtual{0xffff800008baedb8});
}

TEST_CASE("task: everything that its task_struct says") {
  TaskGuest guest("6.1.0");
  const MadeTask init = guest.task(0, "swapper/0");
  const MadeTask task = guest.task(1234, "sh");
  guest.write(task.address + task_at::state, 2, 4);
  guest.write(task.address + task_at::on_cpu, 1, 4);
  guest.write(task.address + task_at::cpu, 3, 4);
  guest.write(task.address + task_at::sp, task.stack + 0x3000);
  guest.write(task.address + task_at::start_time, 5'000'000'000);
  guest.write(task.address + task_at::last_arrival, 7'000'000'000);
  guest.write(init.address + task_at::tgid, 77, 4);
  const Task found = read(guest, task);
  CHECK(found.address == task.address);
  CHECK(found.pid == 1234);
  CHECK(found.tgid == 1234);
  CHECK(found.ppid == 77);
  CHECK(found.comm == "sh");
  CHECK(found.state == 'D');
  CHECK(found.on_cpu);
  CHECK(found.cpu == 3U);
  CHECK(found.kernel_thread == false);
  CHECK(found.stack == task.stack);
  CHECK(found.saved_sp == task.stack + 0x3000);
  CHECK(found.start_nsec == 5'000'000'000U);
  CHECK(found.last_ran_nsec == 7'000'000'000U);
  CHECK_FALSE(found.queued_nsec);
}

TEST_CASE("task: a kernel thread is told by its flag") {
  TaskGuest guest;
  guest.task(0, "swapper/0");
  const MadeTask task = guest.task(2, "kthreadd");
  guest.write(task.address + task_at::flags, 0x208040, 4);
  CHECK(read(guest, task).kernel_thread == true);
}

TEST_CASE("task: until 4.8 its CPU stands at the bottom of its stack") {
  TaskGuest guest("4.4.121");
  make_old_types(guest);
  const MadeTask task = guest.task(1, "systemd");
  guest.write(task.stack + 16, 5, 4);
  guest.write(task.stack + 32, 0x57ac6e9d);
  CHECK(read(guest, task).cpu == 5U);
  CHECK(read(guest, task).state == 'S');
}

TEST_CASE("task: from 4.9 to 5.15 its CPU is a member, since 5.16 a member of its thread_info") {
  TaskGuest guest;
  const MadeTask task = guest.task(1, "systemd");
  guest.write(task.address + task_at::cpu, 6, 4);
  guest.write(task.address + 20, 7, 4);
  SECTION("before") {
    CHECK(read(guest, task).cpu == 6U);
  }
  SECTION("since") {
    std::vector<MadeMember> members = {{"thread_info", 0, 24, "thread_info"},
                                       {"pid", 300, 4},
                                       {"tgid", 304, 4},
                                       {"comm", 600, 16}};
    guest.type("task_struct", task_at::size, members);
    guest.type("thread_info", 24, {{"flags", 0}, {"cpu", 20, 4}});
    CHECK(read(guest, task).cpu == 7U);
  }
}

TEST_CASE("task: a stack that is gone tells no CPU, and nothing else goes with it") {
  TaskGuest guest("4.4.121");
  make_old_types(guest);
  const MadeTask task = guest.task(1, "systemd");
  SECTION("null") {
    guest.write(task.address + task_at::stack, 0);
  }
  SECTION("not mapped") {
    guest.write(task.address + task_at::stack, TaskGuest::nowhere);
  }
  const Task found = read(guest, task);
  CHECK_FALSE(found.cpu);
  CHECK(found.comm == "systemd");
}

TEST_CASE("task: it last ran when it came to its CPU, or when its time there was last counted") {
  TaskGuest guest;
  const MadeTask task = guest.task(1, "init");
  guest.write(task.address + task_at::last_arrival, 100);
  guest.write(task.address + task_at::exec_start, 250);
  CHECK(read(guest, task).last_ran_nsec == 250U);
  guest.write(task.address + task_at::last_arrival, 300);
  CHECK(read(guest, task).last_ran_nsec == 300U);
  guest.write(task.address + task_at::last_queued, 400);
  CHECK(read(guest, task).queued_nsec == 400U);
}

TEST_CASE("task: one that is frozen says so in its state, until 6.0 in its flags") {
  const auto is_frozen = [](const std::string& release, std::uint64_t state, std::uint64_t flags) {
    TaskGuest guest(release);
    const MadeTask task = guest.task(1, "paused");
    guest.write(task.address + task_at::state, state, 4);
    guest.write(task.address + task_at::flags, flags, 4);
    const Task found = read(guest, task);
    CHECK(found.state == 'D');
    return found.is_frozen;
  };
  CHECK(is_frozen("6.1.0", 0x8000, 0));
  CHECK_FALSE(is_frozen("6.1.0", 2, 0x10000));
  CHECK(is_frozen("6.0.0", 2, 0x10000));
  CHECK(is_frozen("4.4.0", 2, 0x10000));
  CHECK_FALSE(is_frozen("6.0.0", 2, 0));
}

TEST_CASE("task: when it left its CPU is known by the queue's clock, which counts interrupts too") {
  TaskGuest guest;
  guest.type("rq", 16, {{"clock", 0}, {"clock_task", 8}});
  guest.type("sched_entity", 24,
             {{"exec_start", 0}, {"sum_exec_runtime", 8}, {"prev_sum_exec_runtime", 16}});
  guest.write(guest.variable("__per_cpu_offset"), 0);
  guest.write(guest.variable("nr_cpu_ids"), 1, 4);
  const GuestVirtual queue = guest.variable("runqueues");
  const MadeTask task = guest.task(1, "init");
  const auto last_ran = [&](std::uint64_t arrived, std::uint64_t counted, std::uint64_t ran) {
    guest.write_words(task.address + task_at::exec_start, {counted, 1000 + ran, 1000});
    guest.write(task.address + task_at::last_arrival, arrived);
    return read(guest, task).last_ran_nsec;
  };
  guest.write_words(queue, {900, 700});
  CHECK(last_ran(400, 250, 30) == 430U);  // it came at 400 and ran for 30
  CHECK(last_ran(100, 250, 30) == 250U);  // it was picked once more since it came
  CHECK(last_ran(400, 250, 90) == 450U);  // no more was taken from it than 200
  CHECK(last_ran(400, 701, 30) == 701U);  // by another CPU's clock, or damaged
  SECTION("a CPU all of whose time its tasks had") {
    guest.write_words(queue, {900, 900});
    CHECK(last_ran(400, 250, 30) == 400U);
  }
}

TEST_CASE("task: without SCHED_INFO it came, and was seen, as late as its queue's clocks allow") {
  TaskGuest guest;
  guest.type("sched_info", 16, {{"unused", 0}});
  guest.type("rq", 16, {{"clock", 0}, {"clock_task", 8}});
  guest.type("sched_entity", 24,
             {{"exec_start", 0}, {"sum_exec_runtime", 8}, {"prev_sum_exec_runtime", 16}});
  guest.write(guest.variable("__per_cpu_offset"), 0);
  guest.write(guest.variable("nr_cpu_ids"), 1, 4);
  guest.write_words(guest.variable("runqueues"), {900, 700});
  const MadeTask task = guest.task(1, "init");
  const auto read_with = [&](std::uint64_t counted) {
    guest.write_words(task.address + task_at::exec_start, {counted, 1030, 1000});
    return read(guest, task);
  };
  CHECK(read_with(250).last_ran_nsec.value() == 450);
  CHECK(read_with(250).arrived_nsec.value() == 420);
  CHECK_FALSE(read_with(250).by_task_clock);
  CHECK(read_with(701).last_ran_nsec.value() == 701);  // by another CPU's clock, or damaged
  CHECK(read_with(0).last_ran_nsec.value() == 0);      // it has never run
}

TEST_CASE("task: without SCHED_INFO it came to its CPU as long before as it has run since") {
  TaskGuest guest;
  guest.type("sched_info", 16, {{"unused", 0}});
  guest.type("sched_entity", 24,
             {{"exec_start", 0}, {"sum_exec_runtime", 8}, {"prev_sum_exec_runtime", 16}});
  const MadeTask task = guest.task(1, "init");
  guest.write_words(task.address + task_at::exec_start, {1000, 700, 500});
  CHECK(read(guest, task).arrived_nsec == 800U);
  CHECK(read(guest, task).last_ran_nsec == 1000U);
  CHECK(read(guest, task).by_task_clock);  // nothing tells of the CPU's clocks
  SECTION("which is not known if it has run less than before") {
    guest.write_words(task.address + task_at::exec_start, {1000, 400, 500});
    CHECK_FALSE(read(guest, task).arrived_nsec);
  }
  SECTION("nor if it has run for longer than the guest") {
    guest.write_words(task.address + task_at::exec_start, {1000, 1700, 500});
    CHECK_FALSE(read(guest, task).arrived_nsec);
  }
}

TEST_CASE("task: one whose pid is no number that a kernel has is shown with it all the same") {
  TaskGuest guest;
  const MadeTask task = guest.task(-7, "odd");
  CHECK(read(guest, task).pid == -7);
}

TEST_CASE("task: a name without a NUL ends with its array") {
  TaskGuest guest;
  const MadeTask task = guest.task(1, "0123456789abcdefBEHIND");
  CHECK(read(guest, task).comm == "0123456789abcdef");
}

TEST_CASE("task: a parent that can't be read is not known") {
  TaskGuest guest;
  const MadeTask task = guest.task(1, "init");
  guest.write(task.address + task_at::real_parent, TaskGuest::nowhere);
  CHECK_FALSE(read(guest, task).ppid);
}

TEST_CASE("task: without memory there is none") {
  TaskGuest guest;
  const TaskReader reader(guest.kernel(), guest.types(), guest.cpus());
  CHECK_FALSE(reader.read(TaskGuest::nowhere));
  CHECK_FALSE(reader.read({0}));
  CHECK_FALSE(reader.read({~std::uint64_t{0} - 7}));
}

TEST_CASE("task: types that know its pid and name alone are enough") {
  TaskGuest guest;
  const MadeTask task = guest.task(9, "some");
  guest.type("task_struct", task_at::size,
             {{"pid", task_at::pid, 4}, {"tgid", task_at::tgid, 4}, {"comm", task_at::comm, 16}});
  const Task found = read(guest, task);
  CHECK(found.pid == 9);
  CHECK(found.comm == "some");
  CHECK(found.state == '?');
  CHECK_FALSE(found.cpu);
  CHECK_FALSE(found.kernel_thread);
  CHECK_FALSE(found.stack);
  CHECK_FALSE(found.ppid);
}

TEST_CASE("task: types that don't know its name are refused") {
  TaskGuest guest;
  guest.type("task_struct", task_at::size, {{"pid", task_at::pid, 4}, {"tgid", task_at::tgid, 4}});
  check_fails(Failure::UnusableInput, "task_struct.comm",
              [&] { (void)TaskReader(guest.kernel(), guest.types(), guest.cpus()); });
}

}  // namespace photon_dmesg::test
