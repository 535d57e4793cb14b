#include <clocale>
#include <csignal>

#include "base/unfinished_files.h"
#include "cli/io/standard_streams.h"
#include "cli/run.h"

int main(int argc, char** argv) {
  photon_dmesg::keep_standard_descriptors();
  // dmesg(1) too asks the locale which characters can be printed, and for names of days.
  std::setlocale(LC_CTYPE, "");
  std::setlocale(LC_TIME, "");
  // A reader who has seen enough, or a file that must not grow, ends the output, not the program:
  // see write_output(). What can't be kept in the cache costs no log.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  photon_dmesg::unfinished_files::remove_at_signals();
  return photon_dmesg::run(argc, argv);
}
