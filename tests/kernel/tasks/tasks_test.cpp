#include "kernel/tasks/tasks.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/errors.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

std::vector<std::int32_t> pids_of(const Tasks& tasks) {
  std::vector<std::int32_t> pids;
  for (const Task& task : tasks.all()) pids.push_back(task.pid);
  return pids;
}

using Pids = std::vector<std::int32_t>;

std::string warnings_of(const TaskGuest& guest) {
  std::string all;
  for (const std::string& warning : const_cast<TaskGuest&>(guest).diagnostics().warnings()) {
    all += warning + '\n';
  }
  return all;
}

// A guest with processes 1, 2 and 10, of which the last has the threads 11 and 12.
struct Processes {
  TaskGuest guest;
  MadeTask swapper = guest.task(0, "swapper/0");
  MadeTask init = guest.task(1, "init");
  MadeTask kthreadd = guest.task(2, "kthreadd");
  MadeTask server = guest.task(10, "server");
  MadeTask worker = guest.thread(server, 12, "worker");
  MadeTask other = guest.thread(server, 11, "other");
};

// A hash table of pids, as kernels until 4.14 have it, with all of these.
void add_pid_hash(TaskGuest& guest, const std::vector<MadeTask>& tasks) {
  guest.type("pid", 128, {{"tasks", 8, 24}, {"numbers", 48, 32, "upid"}});
  guest.type("upid", 32, {{"nr", 0, 4}, {"ns", 8}, {"pid_chain", 16, 16}});
  const GuestVirtual space = guest.variable("init_pid_ns", 256);
  const GuestVirtual table = guest.allocate(16 * 8);
  guest.write(guest.variable("pid_hash"), table);
  guest.write(guest.variable("pidhash_shift"), 4, 4);
  for (const MadeTask& task : tasks) {
    const GuestVirtual pid = guest.allocate(128);
    guest.write(pid + 8, task.address + task_at::pid_links);
    guest.write(pid + 56, space);
    const GuestVirtual bucket = table + guest.read(task.address + task_at::pid, 4) % 16 * 8;
    guest.write(pid + 64, guest.read(bucket));
    guest.write(bucket, pid + 64);
  }
}

}  // namespace

TEST_CASE("tasks: every process and every thread once, by pid") {
  Processes processes;
  const Tasks tasks = processes.guest.tasks();
  CHECK(pids_of(tasks) == Pids{1, 2, 10, 11, 12});
  CHECK(warnings_of(processes.guest).empty());
  REQUIRE(tasks.find(processes.worker.address));
  CHECK(tasks.find(processes.worker.address)->tgid == 10);
  CHECK(tasks.find(processes.worker.address + 8) == nullptr);
}

TEST_CASE("tasks: the task of a stack, to its last byte and no further") {
  Processes processes;
  const Tasks tasks = processes.guest.tasks();
  const GuestVirtual stack = processes.server.stack;
  const auto pid_at = [&](GuestVirtual address) {
    const Task* task = tasks.find_stack(address);
    return task == nullptr ? -1 : task->pid;
  };
  CHECK(pid_at(stack) == 10);
  CHECK(pid_at(stack + (kernel_stack_size - 1)) == 10);
  CHECK(pid_at(stack + kernel_stack_size) != 10);
  CHECK(pid_at({stack.value - 1}) != 10);
  CHECK(pid_at({0}) == -1);
}

TEST_CASE("tasks: the idle task, which is in no list, can be read all the same") {
  Processes processes;
  const Tasks tasks = processes.guest.tasks();
  CHECK(tasks.find(processes.swapper.address) == nullptr);
  CHECK(tasks.read(processes.swapper.address)->comm == "swapper/0");
  CHECK_FALSE(tasks.read(TaskGuest::nowhere));
}

TEST_CASE("tasks: a list that is cut is followed from its other end, with a warning") {
  Processes processes;
  processes.guest.write(processes.kthreadd.address + task_at::tasks, TaskGuest::nowhere);
  CHECK(pids_of(processes.guest.tasks()) == Pids{1, 2, 10, 11, 12});
  CHECK_THAT(warnings_of(processes.guest),
             Catch::Contains("a list of tasks is damaged, of processes: ") &&
                 Catch::Contains("there is no second list to take missing tasks from"));
}

TEST_CASE("tasks: what a list that is cut twice lacks comes from the table of pids") {
  Processes processes;
  TaskGuest& guest = processes.guest;
  guest.write(processes.init.address + task_at::tasks, TaskGuest::nowhere);
  guest.write(processes.server.address + task_at::tasks + 8, TaskGuest::nowhere);
  SECTION("if there is one") {
    add_pid_hash(guest, {processes.init, processes.kthreadd, processes.server, processes.worker});
    CHECK(pids_of(guest.tasks()) == Pids{1, 2, 10, 11, 12});
    CHECK_THAT(warnings_of(guest),
               Catch::Contains("1 tasks that the damaged lists lack are taken from the table"));
  }
  SECTION("else it is missing") {
    CHECK(pids_of(guest.tasks()) == Pids{1, 10, 11, 12});
  }
}

TEST_CASE("tasks: a table of pids that has what the lists have adds nothing and says nothing") {
  Processes processes;
  add_pid_hash(processes.guest, {processes.init, processes.kthreadd, processes.server,
                                 processes.worker, processes.other});
  CHECK(pids_of(processes.guest.tasks()) == Pids{1, 2, 10, 11, 12});
  CHECK(warnings_of(processes.guest).empty());
}

TEST_CASE("tasks: a process whose list of threads is damaged keeps those that are reached") {
  Processes processes;
  processes.guest.write(processes.worker.address + task_at::thread_node, TaskGuest::nowhere);
  processes.guest.write(processes.worker.address + task_at::thread_node + 8, TaskGuest::nowhere);
  CHECK(pids_of(processes.guest.tasks()) == Pids{1, 2, 10, 11});
  CHECK_THAT(warnings_of(processes.guest),
             Catch::Contains("of the threads of the task at " + hex(processes.server.address)));
}

TEST_CASE("tasks: no task is named twice, even if two processes lead to the same threads") {
  Processes processes;
  TaskGuest& guest = processes.guest;
  guest.write(processes.init.address + task_at::signal,
              guest.read(processes.server.address + task_at::signal));
  CHECK(pids_of(guest.tasks()) == Pids{1, 2, 10, 11, 12});
  CHECK_THAT(warnings_of(guest), Catch::Contains("it does not have the first of them"));
}

TEST_CASE("tasks: a process without its list of threads is there itself") {
  Processes processes;
  SECTION("null") {
    processes.guest.write(processes.init.address + task_at::signal, 0);
  }
  SECTION("not mapped") {
    processes.guest.write(processes.init.address + task_at::signal, TaskGuest::nowhere);
  }
  CHECK(pids_of(processes.guest.tasks()) == Pids{1, 2, 10, 11, 12});
}

TEST_CASE("tasks: of many lists that are damaged a few are named") {
  TaskGuest guest;
  guest.task(0, "swapper/0");
  for (std::int32_t pid = 1; pid <= 10; ++pid) {
    const MadeTask task = guest.task(pid, "some");
    guest.write(task.address + task_at::signal, TaskGuest::nowhere);
  }
  CHECK(guest.tasks().all().size() == 10);
  CHECK_THAT(warnings_of(guest), Catch::Contains("6 more lists of tasks are damaged"));
}

TEST_CASE("tasks: a task at the end of what is mapped is left out, the others are not") {
  Processes processes;
  TaskGuest& guest = processes.guest;
  // Its list_head is there; the task_struct is not.
  const GuestVirtual link = TaskGuest::module_begin;
  guest.append(processes.swapper.address + task_at::tasks, link);
  CHECK(pids_of(guest.tasks()) == Pids{1, 2, 10, 11, 12});
  CHECK_THAT(warnings_of(guest), Catch::Contains("1 tasks can't be read\n"));
}

TEST_CASE("tasks: of a task whose beginning can't be read pid and name are there all the same") {
  Processes processes;
  TaskGuest& guest = processes.guest;
  // In front of the second page nothing is mapped.
  (void)guest.module_page(false);
  const GuestVirtual page = guest.module_page(false);
  const GuestVirtual task{page.value - task_at::tasks + 8};
  guest.append(processes.swapper.address + task_at::tasks, task + task_at::tasks);
  guest.write(task + task_at::pid, 77, 4);
  guest.write(task + task_at::tgid, 77, 4);
  guest.write_text(task + task_at::comm, "half");
  const Tasks tasks = guest.tasks();
  CHECK(pids_of(tasks) == Pids{1, 2, 10, 11, 12, 77});
  CHECK(tasks.all().back().comm == "half");
  CHECK(tasks.all().back().state == '?');
  CHECK_FALSE(tasks.all().back().stack);
  CHECK_THAT(warnings_of(guest),
             Catch::Contains("1 tasks can't be read but for their pids and names"));
  SECTION("but not what is no pid or no name") {
    guest.write(task + task_at::pid, 0xfffffff0, 4);
    CHECK(pids_of(guest.tasks()) == Pids{1, 2, 10, 11, 12});
    guest.write(task + task_at::pid, 77, 4);
    guest.write_text(task + task_at::comm, std::string_view("\0", 1));
    CHECK(pids_of(guest.tasks()) == Pids{1, 2, 10, 11, 12});
  }
}

TEST_CASE("tasks: without init_task there is no list to begin with") {
  TaskGuest guest;
  check_fails(Failure::UnusableInput, "init_task", [&] { (void)guest.tasks(); });
  const MadeTask elsewhere{guest.allocate(task_at::size), {}};
  guest.begin_list(elsewhere.address + task_at::tasks);
  const Tasks tasks(guest.kernel(), guest.types(), guest.cpus(), elsewhere.address,
                    guest.diagnostics());
  CHECK(tasks.all().empty());
}

}  // namespace photon_dmesg::test
