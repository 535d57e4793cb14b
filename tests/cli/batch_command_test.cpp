#include "cli/batch_command.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/run.h"
#include "support/file_content.h"
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

// The same, for which each file that is longer than `bytes` is one that the disk has no room for.
pid_t start_with_room(std::uint64_t bytes, const std::vector<std::string>& arguments,
                      const fs::path& temporary) {
  const pid_t process = ::fork();
  if (process != 0) return process;
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::_exit(WEXITSTATUS(end_of(start(arguments, temporary))));
}

// A vmware.log to which a guest has sent `lines` lines.
std::string log_of_host(int lines) {
  std::string log = "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n";
  for (int i = 0; i < lines; ++i) {
    log +=
        "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[   20.000000] Kernel panic - not "
        "syncing: x\n";
  }
  return log;
}

// The content of the file below `folder` that is called `name`.
std::string content_below(const fs::path& folder, const char* name) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == name) return file_content(entry.path());
  }
  return "there is none";
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

TEST_CASE("batch: a log that the disk has no room for leaves the earlier result as it was") {
  const TemporaryFolder folder;
  const fs::path results = folder.path() / "results";
  const std::vector<std::string> arguments = {folder.write("vmware.log", log_of_host(1)), "-o",
                                              results};
  (void)end_of(start(arguments, folder.path()));
  const std::string log = content_below(results, "log.txt");
  const std::string result = content_below(results, "ticket.json");
  REQUIRE_THAT(log, Catch::Contains("Kernel panic"));
  (void)folder.write("vmware.log", log_of_host(500));
  constexpr std::uint64_t less_than_the_log = 16 * 1024;
  const int status = end_of(start_with_room(less_than_the_log, arguments, folder.path()));
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 3));
  CHECK(content_below(results, "log.txt") == log);
  CHECK(content_below(results, "ticket.json") == result);
  CHECK_THAT(content_below(results, "summary.txt"),
             Catch::Contains("its results could not be written"));
}

TEST_CASE("batch --resume: a ticket that can't be read any more keeps its log, until it can") {
  const TemporaryFolder folder;
  const fs::path results = folder.path() / "results";
  const fs::path evidence = folder.write("vmware.log", log_of_host(1));
  const fs::path elsewhere = folder.path() / "elsewhere";
  const auto run = [&] {
    const int status = end_of(start({"--resume", evidence, "-o", results}, folder.path()));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  constexpr int without_memory = 1;
  REQUIRE(run() == without_memory);
  const std::string log = content_below(results, "log.txt");
  const std::string summary = content_below(results, "summary.txt");
  fs::rename(evidence, elsewhere);
  for (int times = 0; times < 2; ++times) {
    CHECK(run() == 1);
    CHECK(content_below(results, "log.txt") == log);
    CHECK_THAT(content_below(results, "summary.txt"),
               Catch::Contains("PANIC") &&
                   Catch::Contains("warning: this is the result of an earlier run, as the ticket "
                                   "could not be read again: "));
  }
  fs::rename(elsewhere, evidence);
  CHECK(run() == without_memory);
  CHECK(content_below(results, "summary.txt") == summary);
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
