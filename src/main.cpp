#include <fmt/format.h>

#include <clocale>
#include <cstdio>
#include <exception>
#include <optional>
#include <ostream>
#include <string>

#include "base/diagnostics.h"
#include "base/error.h"
#include "base/printable.h"
#include "cli/core_command.h"
#include "cli/info_command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pipeline.h"

namespace {

constexpr int exit_complete = 0;
constexpr int exit_incomplete = 1;

int print_log(const photon_dmesg::Options& options, photon_dmesg::Diagnostics& diagnostics) {
  const photon_dmesg::Report report = photon_dmesg::make_report(options, diagnostics);
  diagnostics.clear_progress();
  photon_dmesg::write_output(options,
                             [&](std::ostream& out) { options.format->write(report, out); });
  const bool has_times =
      report.time_format == photon_dmesg::TimeFormat::SinceBoot || report.guest.clock.has_value();
  return report.log.losses.empty() && has_times ? exit_complete : exit_incomplete;
}

int print_profile(const photon_dmesg::Options& options, photon_dmesg::Diagnostics& diagnostics) {
  const std::string profile = photon_dmesg::make_profile(options, diagnostics);
  diagnostics.clear_progress();
  photon_dmesg::write_output(options, [&](std::ostream& out) { out << profile; });
  return exit_complete;
}

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
        return print_profile(*options, diagnostics);
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
  // dmesg(1) too asks the locale which characters can be printed.
  std::setlocale(LC_CTYPE, "");
  try {
    return run(argc, argv);
  } catch (const photon_dmesg::Error& error) {
    return complain(error.what(), error.failure());
  } catch (const std::exception& error) {
    return complain(error.what(), photon_dmesg::Failure::UnusableInput);
  }
}
