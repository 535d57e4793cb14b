#include <fmt/format.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>

#include "base/diagnostics.h"
#include "base/error.h"
#include "base/printable.h"
#include "cli/core_command.h"
#include "cli/info_command.h"
#include "cli/log_command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/profile_command.h"

namespace {

constexpr int exit_complete = 0;

int run(int argc, char** argv) {
  using namespace photon_dmesg;
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) {
    return exit_complete;
  }
  check_output(*options);
  Diagnostics diagnostics(options->verbosity);
  try {
    switch (options->command) {
      case Command::Log:
        return print_log(*options, diagnostics);
      case Command::Profile:
        print_profile(*options, diagnostics);
        return exit_complete;
      case Command::Core:
        write_core_folder(*options, diagnostics);
        return exit_complete;
      case Command::Info:
        return print_info(*options, diagnostics);
    }
    return exit_complete;
  } catch (...) {
    diagnostics.clear_progress();
    throw;
  }
}

int complain(const char* message, photon_dmesg::Failure failure) {
  fmt::print(stderr, "photon-dmesg: {}\n", photon_dmesg::printable(message));
  return static_cast<int>(failure);
}

}  // namespace

int main(int argc, char** argv) {
  // dmesg(1) too asks the locale which characters can be printed, and for names of days.
  std::setlocale(LC_CTYPE, "");
  std::setlocale(LC_TIME, "");
  // A reader who has seen enough ends the output, not the program: see write_output().
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const photon_dmesg::Error& error) {
    return complain(error.what(), error.failure());
  } catch (const std::exception& error) {
    return complain(error.what(), photon_dmesg::Failure::UnusableInput);
  }
}
