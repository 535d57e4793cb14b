#include "cli/io/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>

#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

// Has `descriptor` be another file while it exists.
class Redirection {
 public:
  Redirection(int descriptor, int file) : descriptor_(descriptor), saved_(::dup(descriptor)) {
    ::dup2(file, descriptor);
    ::close(file);
  }
  ~Redirection() {
    ::dup2(saved_, descriptor_);
    ::close(saved_);
  }
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

 private:
  int descriptor_;
  int saved_;
};

int full_disk() {
  return ::open("/dev/full", O_WRONLY | O_CLOEXEC);
}

int pipe_without_reader() {
  std::signal(SIGPIPE, SIG_IGN);  // as main() does
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  ::close(ends[0]);
  return ends[1];
}

int unwritable() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

TEST_CASE("say: what can't be written to stderr is lost, and nothing else") {
  for (int (*make)() : {full_disk, pipe_without_reader, unwritable}) {
    const Redirection broken(STDERR_FILENO, make());
    CHECK_NOTHROW(say("photon-dmesg: text\n"));
  }
}

TEST_CASE("print: a stdout that can't be written to is an incomplete output") {
  {
    const Redirection broken(STDOUT_FILENO, full_disk());
    check_fails(Failure::Incomplete, "the output: can't be written: No space left on device",
                [] { print("text\n"); });
  }
  {
    const Redirection broken(STDOUT_FILENO, unwritable());
    check_fails(Failure::Incomplete, "the output: can't be written: ", [] { print("text\n"); });
  }
  // Whoever has read enough is no fault.
  const Redirection broken(STDOUT_FILENO, pipe_without_reader());
  CHECK_NOTHROW(print("text\n"));
}

}  // namespace photon_dmesg::test
