#include "cli/io/pager.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace photon_dmesg {
namespace {

[[noreturn]] void run_pager(int input) {
  ::dup2(input, STDIN_FILENO);
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGQUIT}) ::signal(signal, SIG_DFL);
  ::setenv("LESS", "FRSX", 0);
  ::setenv("LV", "-c", 0);
  const char* const wanted = ::getenv("PAGER");
  const char* const pager = wanted != nullptr && *wanted != '\0' ? wanted : "less";
  // If it can't be run, the user still gets the log.
  ::execlp("sh", "sh", "-c", "eval \"$0\" || exec cat", pager, nullptr);
  ::_exit(127);
}

}  // namespace

Pager::Pager() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  process_ = ::fork();
  if (process_ == 0) run_pager(ends[0]);
  if (process_ > 0) {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    for (std::size_t i = 0; i < keyboard_signals.size(); ++i) {
      ::sigaction(keyboard_signals[i], &ignore, &before_[i]);
    }
    stdout_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    ::dup2(ends[1], STDOUT_FILENO);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

Pager::~Pager() {
  if (process_ <= 0) return;
  // Closing the pager's stdin ends it. The descriptor stays taken, or a file would become stdout.
  if (::dup2(stdout_, STDOUT_FILENO) < 0) ::close(STDOUT_FILENO);
  if (stdout_ >= 0) ::close(stdout_);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  for (std::size_t i = 0; i < keyboard_signals.size(); ++i) {
    ::sigaction(keyboard_signals[i], &before_[i], nullptr);
  }
}

}  // namespace photon_dmesg
