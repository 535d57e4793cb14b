#include "kernel/tasks/per_cpu_areas.h"

#include <catch2/catch.hpp>

#include "kernel/arch/machines/machines.h"
#include "kernel/tasks/cpus.h"
#include "kernel/tasks/current_tasks.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t self = 0x148;  // this_cpu_off

Vcpu in_kernel(std::uint32_t index, GuestVirtual area) {
  Vcpu vcpu;
  vcpu.index = index;
  vcpu.x86.cs = 0x10;
  vcpu.x86.gs_base = area;
  return vcpu;
}

Vcpu in_user_mode(std::uint32_t index) {
  Vcpu vcpu;
  vcpu.index = index;
  vcpu.x86.cs = 0x33;
  vcpu.x86.gs_base = GuestVirtual{0x7fff00000000};
  return vcpu;
}

// Three CPUs of a kernel without symbols of its variables. The second is in user mode.
struct Areas {
  TaskGuest guest;
  std::vector<GuestVirtual> areas;
  GuestVirtual array = guest.variable("the array", 64);

  Areas() {
    for (std::uint64_t i = 0; i < 3; ++i) {
      areas.push_back(guest.allocate(0x4000, 4096));
      guest.write(areas[i] + self, areas[i]);
      guest.write(array + 8 + i * 8, areas[i]);
    }
  }

  [[nodiscard]] std::vector<Vcpu> vcpus() const {
    return {in_kernel(0, areas[0]), in_user_mode(1), in_kernel(2, areas[2])};
  }
  [[nodiscard]] std::vector<std::uint64_t> find() {
    return find_per_cpu_offsets(guest.kernel().image(), vcpus());
  }
  [[nodiscard]] std::vector<std::uint64_t> expected() const {
    return {areas[0].value, areas[1].value, areas[2].value};
  }
};

}  // namespace

TEST_CASE("per-CPU areas: an array that has those of the vCPUs in the kernel has them all") {
  Areas areas;
  CHECK(areas.find() == areas.expected());
  SECTION("a copy of one of them elsewhere is no array") {
    areas.guest.write(areas.guest.variable("pcpu_base_addr"), areas.areas[0]);
    CHECK(areas.find() == areas.expected());
  }
  SECTION("another array with the same areas leaves no doubt about them") {
    const GuestVirtual copy = areas.guest.variable("a copy");
    for (std::uint64_t i = 0; i < 3; ++i) areas.guest.write(copy + i * 8, areas.areas[i]);
    CHECK(areas.find() == areas.expected());
  }
}

TEST_CASE(
    "per-CPU areas: none where not every one has its own address, or where two arrays differ") {
  Areas areas;
  SECTION("no address of its own") {
    areas.guest.write(areas.areas[1] + self, 0);
  }
  SECTION("not mapped") {
    areas.guest.write(areas.array + 16, TaskGuest::nowhere);
  }
  SECTION("one twice") {
    areas.guest.write(areas.array + 16, areas.areas[0]);
  }
  SECTION("an array in another order") {
    const GuestVirtual other = areas.guest.variable("the other");
    for (std::uint64_t i = 0; i < 3; ++i) areas.guest.write(other + i * 8, areas.areas[2 - i]);
  }
  CHECK(areas.find().empty());
}

TEST_CASE("per-CPU areas: nothing tells of them while no vCPU is in the kernel") {
  Areas areas;
  const std::vector<Vcpu> vcpus = {in_user_mode(0), in_user_mode(1), in_user_mode(2)};
  CHECK(find_per_cpu_offsets(areas.guest.kernel().image(), vcpus).empty());
  CHECK_FALSE(architecture_of(vcpus[0].machine).per_cpu_base(vcpus[0]));
}

TEST_CASE("cpus: without a symbol of their offsets they are those of the areas") {
  Areas areas;
  const std::vector<Vcpu> vcpus = areas.vcpus();
  const Cpus cpus(areas.guest.kernel(), areas.guest.types(), vcpus, areas.guest.diagnostics());
  REQUIRE(cpus.all().size() == 3);
  CHECK(cpus.all()[1].per_cpu_offset == areas.areas[1].value);
  CHECK_FALSE(cpus.all()[1].current);
  CHECK(cpus.match(vcpus)[2] == &cpus.all()[2]);
}

namespace {

constexpr std::uint64_t current = 0x200;
constexpr std::uint64_t queue_current = 0x300;
constexpr std::uint64_t idle = 0x308;

// The same with tasks: a shell in user mode, and a kernel thread and an idle task in the kernel.
struct Running : Areas {
  MadeTask first = guest.task(0, "swapper/0");
  MadeTask shell = guest.task(10, "sh");
  MadeTask thread = guest.task(11, "kworker/0:1");
  GuestVirtual idler = guest.allocate(task_at::size, 64);

  Running() {
    guest.write(shell.address + task_at::flags, 0x400000, 4);
    guest.write(thread.address + task_at::flags, 0x200000, 4);
    guest.write_text(idler + task_at::comm, "swapper/2");
    const std::vector<GuestVirtual> runs = {thread.address, shell.address, idler};
    for (std::uint64_t i = 0; i < 3; ++i) {
      guest.write(areas[i] + current, runs[i]);
      guest.write(areas[i] + queue_current, runs[i]);
      guest.write(areas[i] + idle, idler);
    }
  }

  [[nodiscard]] std::map<std::uint32_t, GuestVirtual> find_current() {
    const Tasks tasks = guest.tasks();
    const std::vector<CpuAtStop> cpus = {{0, areas[0], false, thread.address},
                                         {1, areas[1], true, std::nullopt},
                                         {2, areas[2], false, std::nullopt}};
    return find_current_tasks(guest.memory(), tasks, cpus);
  }
};

}  // namespace

TEST_CASE("current tasks: two places in the areas have one for each CPU that fits what is known") {
  Running running;
  const auto found = running.find_current();
  REQUIRE(found.size() == 3);
  CHECK(found.at(0) == running.thread.address);
  CHECK(found.at(1) == running.shell.address);
  CHECK(found.at(2) == running.idler);
}

TEST_CASE("current tasks: nothing where one place alone says so, or two say different things") {
  Running running;
  SECTION("one place") {
    running.guest.write(running.areas[1] + queue_current, 0);
  }
  SECTION("two tasks") {
    const MadeTask other = running.guest.task(12, "other");
    running.guest.write(running.areas[1] + queue_current, other.address);
  }
  SECTION("a kernel thread is not what runs in user mode") {
    running.guest.write(running.shell.address + task_at::flags, 0x200000, 4);
  }
  SECTION("not the task on whose stack the CPU is") {
    running.guest.write(running.areas[0] + current, running.shell.address);
  }
  CHECK(running.find_current().empty());
}

}  // namespace photon_dmesg::test
