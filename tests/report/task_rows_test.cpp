#include "report/task_rows.h"

#include <catch2/catch.hpp>
#include <string>

namespace photon_dmesg::test {
namespace {

Task task(std::int32_t pid, const std::string& comm = "some") {
  Task task;
  task.address = {0xffff888000000000 + static_cast<std::uint64_t>(pid) * 0x1000};
  task.pid = pid;
  task.tgid = pid;
  task.comm = comm;
  task.state = 'S';
  return task;
}

Task child(std::int32_t pid, std::int32_t parent) {
  Task child = task(pid);
  child.ppid = parent;
  return child;
}

Task thread(std::int32_t pid, std::int32_t process) {
  Task thread = task(pid);
  thread.tgid = process;
  thread.ppid = 1;
  return thread;
}

TaskReport report_of(const std::vector<Task>& tasks) {
  TaskReport report;
  for (const Task& task : tasks) report.tasks.emplace_back().task = task;
  return report;
}

// "1 .2 ..3": a dot for each level of depth.
std::string rows_of(const TaskReport& report) {
  std::string text;
  for (const TaskReport::Row& row : report.tasks) {
    if (!text.empty()) text += ' ';
    text += std::string(row.depth, '.') + std::to_string(row.task.pid);
  }
  return text;
}

std::string tree_of(const std::vector<Task>& tasks) {
  TaskReport report = report_of(tasks);
  make_tree(report);
  return rows_of(report);
}

std::string sorted(const std::vector<Task>& tasks, const char* by) {
  TaskReport report = report_of(tasks);
  report.now_nsec = 1000;
  sort_rows(report, by);
  return rows_of(report);
}

// A row with a trace through these addresses.
TaskReport::Row row(std::int32_t pid, const std::vector<std::uint64_t>& addresses) {
  TaskReport::Row row;
  row.task = task(pid);
  row.trace.emplace();
  row.trace->end = TraceEnd::User;
  for (const std::uint64_t address : addresses)
    row.trace->frames.emplace_back().address = {address};
  return row;
}

// "1+2 3": 2 is folded into 1.
std::string folded(const std::vector<TaskReport::Row>& rows) {
  TaskReport report;
  report.tasks = rows;
  fold_same_traces(report);
  std::string text;
  for (const TaskReport::Row& found : report.tasks) {
    if (!text.empty()) text += ' ';
    text += std::to_string(found.task.pid);
    for (const Task& other : found.folded) text += '+' + std::to_string(other.pid);
  }
  return text;
}

}  // namespace

TEST_CASE("task rows: by each order, and rows that are equal in it stay as they were") {
  std::vector<Task> tasks = {task(3, "b"), task(1, "c"), task(2, "a")};
  tasks[0].last_ran_nsec = 900;
  tasks[1].last_ran_nsec = 100;
  tasks[2].last_ran_nsec = 500;
  tasks[0].cpu = 1;
  tasks[1].cpu = 0;
  tasks[2].state = 'D';
  CHECK(sorted(tasks, "pid") == "1 2 3");
  CHECK(sorted(tasks, "comm") == "2 3 1");
  CHECK(sorted(tasks, "time") == "1 2 3");
  CHECK(sorted(tasks, "cpu") == "2 1 3");
  CHECK(sorted(tasks, "state") == "2 3 1");
  CHECK(sorted(tasks, "colour") == "3 1 2");
}

TEST_CASE("task rows: by time, as far as it is known, though it is not known what time it was") {
  std::vector<Task> tasks = {task(1), task(2), task(3), task(4)};
  tasks[1].last_ran_nsec = 900;
  tasks[2].last_ran_nsec = 100;
  tasks[3].last_ran_nsec = 0;  // it never has
  TaskReport report = report_of(tasks);
  sort_rows(report, "time");
  CHECK(rows_of(report) == "3 2 1 4");
}

TEST_CASE("task rows: for how long a task has waited, if both times are known") {
  TaskReport report;
  Task some = task(1);
  CHECK_FALSE(nsec_since_it_ran(report, some));
  report.now_nsec = 1000;
  CHECK_FALSE(nsec_since_it_ran(report, some));
  some.last_ran_nsec = 0;
  CHECK_FALSE(nsec_since_it_ran(report, some));
  some.last_ran_nsec = 400;
  CHECK(nsec_since_it_ran(report, some) == 600U);
  some.last_ran_nsec = 1001;  // another CPU's clock is a little ahead
  CHECK(nsec_since_it_ran(report, some) == 0U);
}

TEST_CASE("task rows: children below their parents, threads below their process") {
  CHECK(tree_of({child(1, 0), child(2, 0), child(10, 1), thread(11, 10), child(20, 10),
                 child(30, 2)}) == "1 .10 ..11 ..20 2 .30");
}

TEST_CASE("task rows: whose parent or process is not shown stands at the left") {
  CHECK(tree_of({child(10, 1), thread(21, 20), task(30)}) == "10 21 30");
}

TEST_CASE("task rows: parents that are each other's children are shown once, all of them") {
  CHECK(tree_of({child(1, 0), child(5, 6), child(6, 5), child(7, 6)}) == "1 6 .5 .7");
  CHECK(tree_of({child(5, 5)}) == "5");
  CHECK(tree_of({child(5, 7), child(6, 5), child(7, 6)}).size() == std::string("6 .7 ..5").size());
}

TEST_CASE("task rows: a chain of parents as long as there may be tasks") {
  std::vector<Task> tasks;
  constexpr std::int32_t count = 100'000;
  for (std::int32_t pid = 1; pid <= count; ++pid) tasks.push_back(child(pid, pid - 1));
  TaskReport report = report_of(tasks);
  make_tree(report);
  REQUIRE(report.tasks.size() == count);
  CHECK(report.tasks.back().depth == count - 1);
}

TEST_CASE("task rows: tasks with the very same trace and state are one row") {
  CHECK(folded({row(1, {10, 20}), row(2, {10, 20}), row(3, {10, 30}), row(4, {10, 20})}) ==
        "1+2+4 3");
}

TEST_CASE("task rows: what differs is not folded, nor is what has no frames") {
  std::vector<TaskReport::Row> rows = {row(1, {10, 20}), row(2, {10, 20})};
  SECTION("state") {
    rows[1].task.state = 'D';
  }
  SECTION("a guess") {
    rows[1].trace->frames[1].is_reliable = false;
  }
  SECTION("kind") {
    rows[1].trace->frames[0].kind = FrameKind::Interrupted;
  }
  SECTION("end") {
    rows[1].trace->why = "the stack can't be read";
  }
  SECTION("no frames") {
    rows = {row(1, {}), row(2, {})};
  }
  SECTION("no trace") {
    rows = {TaskReport::Row{row(1, {}).task, {}, {}, {}, 0}, row(2, {})};
  }
  CHECK(folded(rows) == "1 2");
}

TEST_CASE("task rows: who waits for another lock that somebody has is a row of its own") {
  std::vector<TaskReport::Row> rows = {row(1, {10}), row(2, {10}), row(3, {10})};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].waiting.emplace();
    rows[i].waiting->wait.kind = WaitKind::Mutex;
    rows[i].waiting->wait.object = {i == 1 ? 0x2000U : 0x1000U};
    rows[i].waiting->owner = task(9);
  }
  CHECK(folded(rows) == "1+3 2");
  // Each waits for its own page, and nobody has it.
  for (TaskReport::Row& row : rows) row.waiting->owner.reset();
  CHECK(folded(rows) == "1+2+3");
}

}  // namespace photon_dmesg::test
