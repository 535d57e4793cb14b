#include "kernel/self/task_schedule.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr TaskPlace begin = task_reach - 2000;
constexpr TaskPlace comm = task_reach + 1000;
constexpr TaskPlace entity = begin + 192;

void put(TaskBytes& task, TaskPlace place, std::uint64_t value, std::size_t width = 8) {
  std::memcpy(task.bytes.data() + place, &value, width);
}

// How far behind its beginning a sched_entity has its times, and whether prev_sum_exec_runtime
// comes before vruntime.
struct Form {
  std::uint64_t exec_start = 64;  // 6.1
  bool picked_first = false;
};

TaskBytes make_task(const Form& form, const char* name, std::uint64_t weight, std::uint64_t inverse,
                    std::uint64_t ran_at) {
  TaskBytes task{{}, std::vector<std::byte>(2 * task_reach)};
  std::memcpy(task.bytes.data() + comm, name, std::strlen(name));
  put(task, entity, weight);
  put(task, entity + 8, inverse, 4);
  put(task, entity + form.exec_start - 24, 0xffff888000001000);
  put(task, entity + form.exec_start - 16, 0xffff888000001000);
  put(task, entity + form.exec_start - 8, 1, 1);
  put(task, entity + form.exec_start, ran_at);
  put(task, entity + form.exec_start + 8, ran_at / 10);
  put(task, entity + form.exec_start + (form.picked_first ? 16 : 24), ran_at / 20);
  put(task, entity + form.exec_start + (form.picked_first ? 24 : 16), 100 * second);
  return task;
}

std::vector<TaskBytes> make_tasks(const Form& form) {
  return {make_task(form, "swapper/0", 3 << 10, 1431655765, 9 * second),
          make_task(form, "init", 1 << 20, 4194304, 5 * second),
          make_task(form, "kworker/0:0H", 88761 << 10, 48388, 0),
          make_task(form, "nice", 15 << 10, 286331153, 7 * second)};
}

}  // namespace

TEST_CASE("task schedule: behind its weight and a list node, in every version's order") {
  for (const Form& form : {Form{}, Form{80, true}, Form{88, true}, Form{96, false}}) {
    CAPTURE(form.exec_start);
    const auto found = find_task_schedule(make_tasks(form));
    REQUIRE(found);
    CHECK(found->begin == entity);
    CHECK(found->exec_start == entity + form.exec_start);
    CHECK(found->runtime_when_picked == entity + form.exec_start + (form.picked_first ? 16 : 24));
  }
  std::vector<TaskBytes> before_4_7 = make_tasks({});
  for (TaskBytes& task : before_4_7) put(task, entity, task.at(entity) >> 10U);
  CHECK(find_task_schedule(before_4_7));
}

TEST_CASE("task schedule: nothing where a task does not fit") {
  std::vector<TaskBytes> tasks = make_tasks({});
  SECTION("a weight that is not the inverse's") {
    put(tasks[1], entity, 2 << 20);
  }
  SECTION("more time on a CPU than has passed") {
    put(tasks[1], entity + 72, 6 * second);
  }
  SECTION("no list node") {
    put(tasks[1], entity + 40, 5);
  }
  SECTION("no flag") {
    put(tasks[1], entity + 56, 0x1234);
  }
  CHECK_FALSE(find_task_schedule(tasks));
}

TEST_CASE("task schedule: of two places for the time when a task was picked neither is taken") {
  std::vector<TaskBytes> tasks = make_tasks({});
  for (TaskBytes& task : tasks) put(task, entity + 80, 0);
  const auto found = find_task_schedule(tasks);
  REQUIRE(found);
  CHECK_FALSE(found->runtime_when_picked);
}

TEST_CASE("task schedule: a task's CPU is where threads of CPUs have the one in their names") {
  std::vector<TaskBytes> tasks = {
      make_task({}, "swapper/0", 3 << 10, 1431655765, 0),
      make_task({}, "migration/0", 1 << 20, 4194304, 0),
      make_task({}, "migration/1", 1 << 20, 4194304, 0),
      make_task({}, "ksoftirqd/1", 1 << 20, 4194304, 0),
      make_task({}, "cpuhp/x", 1 << 20, 4194304, 0),
  };
  CHECK_FALSE(find_task_cpu(tasks, begin, comm));  // nowhere
  put(tasks[2], begin + 20, 1, 4);
  put(tasks[3], begin + 20, 1, 4);
  CHECK(find_task_cpu(tasks, begin, comm) == begin + 20);
  SECTION("two places") {
    put(tasks[2], begin + 12, 1, 4);
    put(tasks[3], begin + 12, 1, 4);
    CHECK_FALSE(find_task_cpu(tasks, begin, comm));
  }
  SECTION("one task's number is none of a CPU") {
    put(tasks[4], begin + 20, 1 << 20, 4);
    CHECK_FALSE(find_task_cpu(tasks, begin, comm));
  }
  SECTION("one CPU has its number everywhere") {
    tasks.erase(tasks.begin() + 2, tasks.end());
    CHECK_FALSE(find_task_cpu(tasks, begin, comm));
  }
}

}  // namespace photon_dmesg
