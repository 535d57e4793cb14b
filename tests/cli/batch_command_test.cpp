#include "cli/batch_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/run.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

// The program with `arguments`, in a process of its own that prints to `output`, says nothing and
// keeps temporary files in `temporary`. Returns its number.
pid_t start(std::vector<std::string> arguments, const fs::path& temporary,
            const char* output = "/dev/null") {
  const pid_t process = ::fork();
  if (process != 0) return process;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_DFL);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  ::close(STDOUT_FILENO);
  ::close(STDERR_FILENO);
  (void)::open(output, O_WRONLY);
  (void)::open("/dev/null", O_WRONLY);
  arguments.insert(arguments.begin(), {"photon-dmesg", "batch"});
  std::vector<char*> argv;
  argv.reserve(arguments.size());
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::_exit(run(static_cast<int>(argv.size()), argv.data()));
}

// How `process` has ended, as waitpid(2) says it.
int end_of(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}

// Waits until `process` reads the pipe at `path`, which then waits for what is written to the
// descriptor that is returned; -1 if it has ended without that.
int writer_to(pid_t process, const fs::path& path) {
  constexpr useconds_t pause = 1000;
  int writer = -1;
  while ((writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK)) < 0) {
    siginfo_t ended{};
    ::waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (ended.si_pid != 0) return -1;
    ::usleep(pause);
  }
  return writer;
}

}  // namespace

TEST_CASE("batch --no-cache: what is interrupted while it opens symbols leaves nothing behind") {
  const TemporaryFolder folder;
  const fs::path symbols = folder.path() / "symbols";
  const fs::path temporary = folder.path() / "temporary";
  REQUIRE(::mkfifo(symbols.c_str(), 0600) == 0);
  fs::create_directory(temporary);
  const pid_t process = start({"--no-cache", "--symbols", symbols, folder.write("vm.vmss", "x"),
                               "-o", folder.path() / "results"},
                              temporary);
  const int writer = writer_to(process, symbols);
  REQUIRE(writer >= 0);
  REQUIRE(::kill(process, SIGINT) == 0);
  const int status = end_of(process);
  ::close(writer);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGINT));
  CHECK(fs::is_empty(temporary));
}

TEST_CASE("batch --no-cache: what has no place for temporary files does its work all the same") {
  const TemporaryFolder folder;
  const pid_t process =
      start({"--no-cache", folder.write("vm.vmss", "x"), "-o", folder.path() / "results"},
            "/nonexistent");
  const int status = end_of(process);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 1));  // the ticket can't be read
  CHECK(fs::exists(folder.path() / "results" / "summary.txt"));
}

TEST_CASE("batch: results whose summary can't be printed are there, and not complete") {
  const TemporaryFolder folder;
  const pid_t process = start({folder.write("vm.vmss", "x"), "-o", folder.path() / "results"},
                              folder.path(), "/dev/full");
  const int status = end_of(process);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 1));
  CHECK(fs::exists(folder.path() / "results" / "summary.txt"));
}

}  // namespace photon_dmesg::test
