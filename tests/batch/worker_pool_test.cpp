#include "batch/worker_pool.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <set>

#include "support/temporary_folder.h"

namespace photon_dmesg {
namespace {

using test::TemporaryFolder;

// What comes of work that leaves a file each.
struct Outcome {
  std::set<std::size_t> ended;
  std::set<std::size_t> killed;
  std::set<std::size_t> asked;  // of those
  std::set<std::size_t> failed;
  std::size_t most_running = 0;
  std::optional<int> signal;
};

Outcome run(WorkerPool::Limits limits, std::size_t count, const WorkerPool::Work& work) {
  Outcome outcome;
  outcome.signal =
      WorkerPool(limits).run(count, work,
                             {[&](const WorkerPool::Ended& end) {
                                (end.signal ? outcome.killed : outcome.ended).insert(end.work);
                                if (end.was_asked) outcome.asked.insert(end.work);
                                if (end.status != 0) outcome.failed.insert(end.work);
                              },
                              [&](std::size_t running) {
                                outcome.most_running = std::max(outcome.most_running, running);
                              }});
  return outcome;
}

}  // namespace

TEST_CASE("worker pool: each piece of work is done once, in a process of its own") {
  const TemporaryFolder folder;
  const pid_t own = ::getpid();
  const Outcome outcome = run({3, {}}, 10, [&](std::size_t work) {
    if (::getpid() != own) folder.write(std::to_string(work), "done");
    return 0;
  });
  CHECK(outcome.ended.size() == 10);
  CHECK(outcome.killed.empty());
  CHECK_FALSE(outcome.signal);
  for (std::size_t work = 0; work < 10; ++work) {
    CHECK(std::filesystem::exists(folder.path() / std::to_string(work)));
  }
}

TEST_CASE("worker pool: work that dies takes nothing else with it") {
  const Outcome outcome = run({2, {}}, 4, [](std::size_t work) {
    if (work == 1) ::raise(SIGKILL);
    return work == 2 ? 7 : 0;
  });
  CHECK(outcome.failed == std::set<std::size_t>{2});
  CHECK(outcome.ended == std::set<std::size_t>{0, 2, 3});
  CHECK(outcome.killed == std::set<std::size_t>{1});
}

TEST_CASE(
    "worker pool: work that somebody else has asked to end is told from what it ends itself") {
  const Outcome outcome = run({2, {}}, 2, [](std::size_t work) {
    ::signal(SIGTERM, SIG_DFL);  // the tests' own would report it
    return work == 0 ? ::raise(SIGTERM) : 0;
  });
  CHECK(outcome.killed == std::set<std::size_t>{0});
  CHECK(outcome.asked.empty());
  CHECK_FALSE(outcome.signal);
}

TEST_CASE("worker pool: no more at a time than jobs, nor than memory is there for") {
  const auto nap = [](std::size_t) { return ::usleep(20'000); };
  CHECK(run({2, {}}, 6, nap).most_running <= 2);
  constexpr std::uint64_t little = 1024;
  CHECK(run({8, little}, 6, nap).most_running == 1);
}

TEST_CASE("worker pool: a signal ends what is running, and nothing more is begun") {
  const pid_t own = ::getpid();
  const Outcome outcome = run({1, {}}, 3, [&](std::size_t work) {
    if (work == 0) return 0;
    ::signal(SIGTERM, SIG_DFL);  // the tests' own would report it
    ::kill(own, SIGTERM);
    ::sleep(60);
    return 0;
  });
  CHECK(outcome.signal == SIGTERM);
  CHECK(outcome.ended == std::set<std::size_t>{0});
  CHECK(outcome.killed == std::set<std::size_t>{1});
  CHECK(outcome.asked == std::set<std::size_t>{1});
}

}  // namespace photon_dmesg
