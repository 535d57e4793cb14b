#include "report/blocked_groups.h"

#include <catch2/catch.hpp>

#include "support/sample_triage.h"

namespace photon_dmesg::test {
namespace {

TEST_CASE("Tasks in D are put together by the very lock that they wait for") {
  GuestFacts facts = sample_triage("lab").facts;
  TaskActivity third = facts.tasks.front();
  third.task.pid = 20;
  third.task.address = {0xffff888000000020};
  third.task.last_ran_nsec = 5'000'000'000;
  facts.tasks.push_back(third);
  const std::vector<BlockedGroup> groups = blocked_groups(facts);
  REQUIRE(groups.size() == 2);
  REQUIRE(groups[0].tasks.size() == 2);
  CHECK(groups[0].tasks[0]->task.pid == 20);  // the oldest
  CHECK(groups[0].tasks[1]->task.pid == 11);
  CHECK(groups[1].tasks[0]->task.pid == 12);
}

TEST_CASE("Owners are followed to who would have to go on") {
  const GuestFacts facts = sample_triage("lab").facts;
  const std::vector<BlockedGroup> groups = blocked_groups(facts);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].owners ==
        std::vector<std::string>{"held by lab (12), in D, which waits for mutex lab",
                                 "held by lab (13), in S in lab"});
  REQUIRE(groups[0].holder != nullptr);
  CHECK(groups[0].holder->task.pid == 13);
}

TEST_CASE("A circle of owners is followed once") {
  GuestFacts facts = sample_triage("lab").facts;
  facts.tasks[1].waiting->owner = facts.tasks[0].task;
  const std::vector<BlockedGroup> groups = blocked_groups(facts);
  REQUIRE(groups.size() == 2);
  REQUIRE(groups[0].owners.size() == 4);
  CHECK(groups[0].owners.back() == "and so on: they wait for each other in a circle");
  CHECK(groups[0].holder == nullptr);
}

TEST_CASE("A chain of owners that is longer than any sound guest's is cut, and says so") {
  GuestFacts facts = sample_triage("lab").facts;
  const TaskActivity first = facts.tasks.front();
  facts.tasks.clear();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    TaskActivity& activity = facts.tasks.emplace_back(first);
    activity.task.address = GuestVirtual{0xffff888000010000 + i * 64};
    activity.task.pid = static_cast<std::int32_t>(1000 + i);
    activity.waiting->wait.name.reset();
    activity.waiting->wait.object = GuestVirtual{0xffff888100010000 + i * 64};
    activity.waiting->owner->address = GuestVirtual{0xffff888000010000 + (i + 1) * 64};
  }
  const std::vector<BlockedGroup> groups = blocked_groups(facts);
  REQUIRE(groups.size() == 1000);
  std::size_t count = 0;
  for (const BlockedGroup& group : groups) {
    CHECK(group.owners.size() <= 65);
    count += group.owners.size();
  }
  CHECK(count <= 16384 + 1000);
  REQUIRE(groups[0].owners.size() == 65);
  CHECK(groups[0].owners.back() == "and so on: they are followed no further");
  CHECK(groups[0].holder == nullptr);
}

TEST_CASE("An owner that is no task of the guest ends the chain") {
  GuestFacts facts = sample_triage("lab").facts;
  facts.tasks.resize(1);
  const std::vector<BlockedGroup> groups = blocked_groups(facts);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].owners == std::vector<std::string>{"held by lab (12)"});
}

}  // namespace
}  // namespace photon_dmesg::test
