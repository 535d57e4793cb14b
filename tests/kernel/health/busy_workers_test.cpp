#include "kernel/health/busy_workers.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg {
namespace {

using test::TaskGuest;

constexpr std::uint64_t second = 1'000'000'000;

// A CPU with its two pools, and a worker in the first of them.
class WorkerGuest : public TaskGuest {
 public:
  WorkerGuest() {
    write(variable("__per_cpu_offset"), 0);
    write(variable("nr_cpu_ids"), 1, 4);
    for (const char* mask : {"__cpu_present_mask", "__cpu_online_mask"})
      write(variable(mask), 1, 1);
    type("worker_pool", 64, {{"workers", 16, 16}});
    begin_list(pools + 16);
    begin_list(pools + 64 + 16);
    append(pools + 16, worker + 8);
    write(worker + 24, task);
    write(worker + 32, 0x1234);  // the work
    write(worker + 40, 7 * second);
    write(task + 16, 47 * second);
    type("task_struct", 64, {{"se", 8, 24, "sched_entity"}});
    type("sched_entity", 24, {{"sum_exec_runtime", 8}});
  }

  void add_worker_type() {
    type("worker", 48, {{"node", 8, 16}, {"task", 24}, {"current_work", 32}, {"current_at", 40}});
  }
  std::vector<BusyWorker> read() {
    return read_busy_workers(kernel(), types(), cpus(1), diagnostics());
  }

  GuestVirtual pools = variable("cpu_worker_pools", 128);
  GuestVirtual worker = allocate(48);
  GuestVirtual task = allocate(64);
};

TEST_CASE("A worker that is at a work says for how long it has had a CPU for it") {
  WorkerGuest guest;
  guest.add_worker_type();
  REQUIRE(guest.read().size() == 1);
  CHECK(guest.read()[0].cpu == 0);
  CHECK(guest.read()[0].address == guest.worker);
  CHECK(guest.read()[0].task == guest.task);
  CHECK(guest.read()[0].nsec == 40 * second);
  SECTION("one that has none is not at work") {
    guest.write(guest.worker + 32, 0);
    CHECK(guest.read().empty());
  }
  SECTION("nor is one that would have begun it later than it has run") {
    guest.write(guest.worker + 40, 48 * second);
    CHECK(guest.read().empty());
  }
  CHECK(guest.diagnostics().warnings().empty());
  SECTION("that a list of workers is damaged is said") {
    guest.write_words(guest.pools + 16, {0, 0});
    CHECK(guest.read().empty());
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK_THAT(guest.diagnostics().warnings()[0],
               Catch::StartsWith("a list of workers is damaged, of CPU 0: "));
  }
}

TEST_CASE("Kernels before 6.4 do not say when a work was begun") {
  WorkerGuest guest;
  guest.type("worker", 48, {{"node", 8, 16}, {"task", 24}, {"current_work", 32}});
  CHECK(guest.read().empty());
}

}  // namespace
}  // namespace photon_dmesg
