#include <fcntl.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <initializer_list>

#include "cli/run.h"

namespace {

// A standard descriptor that is closed would become the first file that is opened. Instead, what is
// said on stderr goes nowhere, and using stdin or stdout fails as before.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_descriptors();
  // dmesg(1) too asks the locale which characters can be printed, and for names of days.
  std::setlocale(LC_CTYPE, "");
  std::setlocale(LC_TIME, "");
  // A reader who has seen enough ends the output, not the program: see write_output().
  std::signal(SIGPIPE, SIG_IGN);
  return photon_dmesg::run(argc, argv);
}
