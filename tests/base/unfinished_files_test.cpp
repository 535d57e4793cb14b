#include "base/unfinished_files.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

// How a process ends that does `work` and then gets `signal`.
template <typename Work>
int end_of_process(int signal, Work work) {
  const pid_t process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    work();
    ::raise(signal);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  return status;
}

}  // namespace

TEST_CASE("unfinished files: signals that end the process remove them, and end it") {
  const TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const auto unfinished = folder.write(".core.1", "half");
    const auto finished = folder.write("core", "whole");
    const int status = end_of_process(signal, [&] {
      unfinished_files::remove_at_signals();
      unfinished_files::add(finished);
      unfinished_files::add(unfinished);
      unfinished_files::forget(finished);
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK_FALSE(std::filesystem::exists(unfinished));
    CHECK(std::filesystem::exists(finished));
  }
}

TEST_CASE("unfinished files: what is ignored, as nohup has it, stays ignored") {
  const TemporaryFolder folder;
  const auto unfinished = folder.write(".core.1", "half");
  const int status = end_of_process(SIGHUP, [&] {
    std::signal(SIGHUP, SIG_IGN);
    unfinished_files::remove_at_signals();
    unfinished_files::add(unfinished);
  });
  CHECK(WIFEXITED(status));
  CHECK(std::filesystem::exists(unfinished));
}

TEST_CASE("unfinished files: a process that was forked leaves them alone") {
  const TemporaryFolder folder;
  const auto unfinished = folder.write(".core.1", "half");
  const int status = end_of_process(SIGHUP, [&] {
    unfinished_files::remove_at_signals();
    unfinished_files::add(unfinished);
    const int child = end_of_process(SIGTERM, [] {});
    if (!WIFSIGNALED(child) || !std::filesystem::exists(unfinished)) ::_exit(1);
  });
  CHECK(WIFSIGNALED(status));
  CHECK_FALSE(std::filesystem::exists(unfinished));
}

TEST_CASE("unfinished files: more of them than there is room for do no harm") {
  for (int i = 0; i < 100; ++i) unfinished_files::add("/absent/" + std::to_string(i));
  for (int i = 0; i < 100; ++i) unfinished_files::forget("/absent/" + std::to_string(i));
  const TemporaryFolder folder;
  const auto unfinished = folder.write(".core.1", "half");
  const int status = end_of_process(SIGTERM, [&] {
    unfinished_files::remove_at_signals();
    unfinished_files::add(unfinished);
  });
  CHECK(WIFSIGNALED(status));
  CHECK_FALSE(std::filesystem::exists(unfinished));
}

}  // namespace photon_dmesg::test
