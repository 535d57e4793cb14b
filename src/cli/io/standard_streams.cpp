#include "cli/io/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/descriptor.h"
#include "base/error.h"

namespace photon_dmesg {

void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest number that is free is this one. Where there is no /dev, a folder is as unusable.
    const int wrong_way = descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
    if (::open("/dev/null", wrong_way) < 0) (void)::open("/", O_PATH);
  }
}

void say(std::string_view text) {
  (void)write_all(STDERR_FILENO, text);
}

void leave_standard_error() {
  if (::isatty(STDOUT_FILENO) == 1) {
    (void)::dup2(STDOUT_FILENO, STDERR_FILENO);
    return;
  }
  ::close(STDERR_FILENO);
  keep_standard_descriptors();
}

void print(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0 || is_reader_gone(error)) return;
  throw Error(Failure::Incomplete, fmt::format("the output: can't be written: {}",
                                               std::generic_category().message(error)));
}

bool is_reader_gone(int error) {
  return error == EPIPE;
}

}  // namespace photon_dmesg
