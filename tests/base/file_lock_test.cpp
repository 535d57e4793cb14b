#include "base/file_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>
#include <vector>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

void ignore() {}

}  // namespace

TEST_CASE("FileLock: one holds it at a time, and nothing is left of it") {
  const TemporaryFolder folder;
  std::atomic<int> holders = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> waited = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const FileLock lock(folder.path() / "lock", [&] { waited = true; });
      most = std::max(most.load(), ++holders);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      --holders;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
  CHECK(waited);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("FileLock: that of a process which was killed is free") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "lock";
  std::array<int, 2> taken{};
  REQUIRE(::pipe(taken.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(path, ignore);
    (void)!::write(taken[1], "!", 1);
    while (true) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(taken[0], &byte, 1) == 1);
  bool killed = false;
  const FileLock lock(path, [&] {
    if (!killed) ::kill(child, SIGKILL);
    killed = true;
  });
  CHECK(killed);
  ::waitpid(child, nullptr, 0);
  ::close(taken[0]);
  ::close(taken[1]);
}

TEST_CASE("FileLock: a place where no file can be is an error") {
  check_fails(Failure::Incomplete, "/proc/no/such/lock: can't be locked: ", [] {
    const FileLock lock("/proc/no/such/lock", ignore);
  });
}

}  // namespace photon_dmesg::test
