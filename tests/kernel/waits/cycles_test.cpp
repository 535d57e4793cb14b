#include "kernel/waits/cycles.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <utility>

namespace photon_dmesg {
namespace {

using Chain = std::vector<std::int32_t>;

// Tasks with these pids, and for some who has what they wait for.
struct Sleepers {
  std::vector<TaskActivity> all;
  CollectedDiagnostics diagnostics;

  explicit Sleepers(const std::vector<std::pair<std::int32_t, std::int32_t>>& owners) {
    for (const auto& [pid, owner] : owners) {
      TaskActivity& activity = all.emplace_back();
      activity.task.pid = pid;
      activity.task.address = address(pid);
      if (owner == 0) continue;
      activity.waiting.emplace().wait.owner = address(owner);
    }
  }

  static GuestVirtual address(std::int32_t pid) {
    return {0xffff888000000000 + static_cast<std::uint64_t>(pid) * 64};
  }

  // The circles, by who is asked.
  std::vector<Chain> find() {
    find_cycles(all, diagnostics);
    std::vector<Chain> found;
    for (const TaskActivity& activity : all) {
      Chain& chain = found.emplace_back();
      if (!activity.waiting) continue;
      for (const Task& task : activity.waiting->cycle) chain.push_back(task.pid);
    }
    return found;
  }
};

// A circle of `count` tasks from `first` on.
std::vector<std::pair<std::int32_t, std::int32_t>> circle(std::int32_t first, std::int32_t count) {
  std::vector<std::pair<std::int32_t, std::int32_t>> owners;
  owners.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < count; ++i) {
    owners.emplace_back(first + i, first + (i + 1) % count);
  }
  return owners;
}

}  // namespace

TEST_CASE("cycles: tasks that wait for each other are a deadlock, whoever is asked") {
  Sleepers sleepers({{1, 2}, {2, 3}, {3, 1}, {4, 1}, {5, 5}, {6, 7}, {7, 0}, {8, 99}});
  const std::vector<Chain> found = sleepers.find();
  CHECK(found[0] == Chain{1, 2, 3});
  CHECK(found[1] == Chain{2, 3, 1});
  CHECK(found[2] == Chain{3, 1, 2});
  CHECK(found[3].empty());  // it waits for the circle, and is no part of it
  CHECK(found[4] == Chain{5});
  CHECK(found[5].empty());
  CHECK(found[7].empty());
  CHECK(sleepers.diagnostics.warnings().empty());
}

TEST_CASE("cycles: a circle is found by whoever comes first, even if it is no part of it") {
  Sleepers sleepers({{4, 1}, {1, 2}, {2, 1}});
  const std::vector<Chain> found = sleepers.find();
  CHECK(found[0].empty());
  CHECK(found[1] == Chain{1, 2});
  CHECK(found[2] == Chain{2, 1});
}

TEST_CASE("cycles: a reader who may have let go closes none") {
  Sleepers sleepers({{1, 2}, {2, 1}});
  sleepers.all[1].waiting->wait.owner_is_certain = false;
  CHECK(sleepers.find() == std::vector<Chain>{{}, {}});
}

TEST_CASE("cycles: one of 64 tasks is told, a longer one is said to be left out") {
  Sleepers sleepers(circle(1, 64));
  CHECK(sleepers.find()[5].size() == 64);
  CHECK(sleepers.diagnostics.warnings().empty());
  Sleepers longer(circle(1, 65));
  CHECK(longer.find() == std::vector<Chain>(65));
  REQUIRE(longer.diagnostics.warnings().size() == 1);
  CHECK_THAT(
      longer.diagnostics.warnings()[0],
      Catch::StartsWith("1 of the circles in which tasks wait for each other is not judged"));
}

TEST_CASE("cycles: what is kept of a hostile guest's is bounded, however many it has") {
  std::vector<std::pair<std::int32_t, std::int32_t>> owners = circle(100000, 20000);
  for (std::int32_t i = 0; i < 100; ++i) {
    const auto more = circle(1 + 50 * i, 50);
    owners.insert(owners.end(), more.begin(), more.end());
  }
  Sleepers sleepers(owners);
  std::size_t kept = 0;
  for (const Chain& chain : sleepers.find()) kept += chain.size();
  CHECK(kept == 6 * 50 * 50);
  REQUIRE(sleepers.diagnostics.warnings().size() == 1);
  CHECK_THAT(sleepers.diagnostics.warnings()[0], Catch::StartsWith("95 of the circles"));
}

}  // namespace photon_dmesg
