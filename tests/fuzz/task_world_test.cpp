#include "fuzz/task_world.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "fuzz/seeds.h"
#include "fuzz/small_guest.h"
#include "fuzz/task_readers.h"
#include "kernel/self/guest_types.h"
#include "kernel/self/memory_symbols.h"
#include "support/bytes.h"

namespace photon_dmesg::fuzz {
namespace {

// "__mutex_lock (2): user, waits for mutex" of each task.
std::vector<std::string> describe(TaskWorld& world) {
  const TaskReaders readers(world, [] { return nullptr; });
  std::vector<std::string> lines = {fmt::format("{} modules", readers.code.modules().size())};
  for (const Task& task : readers.tasks.all()) {
    const Trace trace = readers.unwinder.trace(task);
    const auto wait = readers.waits.find(task, trace);
    lines.push_back(fmt::format("{} ({}): {}, waits for {}", task.comm, task.pid,
                                name_of(trace.end), wait ? name_of(wait->kind) : "nothing"));
  }
  return lines;
}

}  // namespace

TEST_CASE("fuzzers: a guest of tasks is sound in every version, and once it has been mended") {
  for (std::size_t version = 0; version < TaskWorld::versions; ++version) {
    for (const bool has_orc : {false, true}) {
      if (has_orc && version < TaskWorld::first_with_orc) continue;
      CAPTURE(version, has_orc);
      TaskWorld& world = TaskWorld::of(version, has_orc);
      const std::vector<std::string> sound = describe(world);
      for (const char* line :
           {"1 modules", "init (1): user, waits for nothing",
            "__mutex_lock (2): user, waits for mutex", "__mutex_lock (3): user, waits for mutex"}) {
        CHECK(std::find(sound.begin(), sound.end(), line) != sound.end());
      }
      INFO(fmt::format("{}", fmt::join(sound, "\n")));
      CHECK(sound.size() == 10);
      const GuestVirtual sp = world.tasks().at(2).address + test::task_at::sp;
      const std::string damage = test::little_endian(0, 1) +
                                 test::little_endian(world.heap_number(sp), 2) +
                                 test::little_endian(0, 1) + test::little_endian(8, 8);
      Input input(test::as_bytes(damage));
      world.damage(input);
      CHECK(describe(world) != sound);
      world.mend();
      CHECK(describe(world) == sound);
    }
  }
}

TEST_CASE("fuzzers: a seed of a guest that tells of itself has tasks that show their types") {
  make_guest_seeds([](std::string_view target, const std::string& name, const std::string& bytes) {
    if (target != "self" || name != "tasks") return;
    SmallGuest guest(test::as_bytes(bytes));
    SilentDiagnostics diagnostics;
    const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, diagnostics);
    REQUIRE(running);
    const auto symbols = MemorySymbols::find(guest.memory(), *running, diagnostics);
    const GuestKernel kernel = GuestKernel::attach(*running, *symbols, diagnostics);
    const KernelTypes types = types_of(kernel, diagnostics);
    const Cpus cpus(kernel, types, std::vector<Vcpu>(1), diagnostics);
    CHECK(Tasks(kernel, types, cpus, derived_first_task(types), diagnostics).all().size() == 4);
  });
}

}  // namespace photon_dmesg::fuzz
