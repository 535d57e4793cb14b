#include "cli/run.h"

#include <fmt/format.h>

#include <exception>
#include <optional>

#include "base/error.h"
#include "base/printable.h"
#include "cli/batch_command.h"
#include "cli/core_command.h"
#include "cli/exit_status.h"
#include "cli/info_command.h"
#include "cli/io/standard_streams.h"
#include "cli/io/terminal_diagnostics.h"
#include "cli/log_command.h"
#include "cli/options/options.h"
#include "cli/output.h"
#include "cli/profile_command.h"
#include "cli/task_commands.h"
#include "cli/triage_command.h"

namespace photon_dmesg {
namespace {

int run_command(const Options& options, TerminalDiagnostics& diagnostics) {
  switch (options.command) {
    case Command::Log:
      return print_log(options, diagnostics);
    case Command::Profile:
      print_profile(options, diagnostics);
      return diagnostics.has_lack() ? exit_incomplete : exit_complete;
    case Command::Core:
      write_core_folder(options, diagnostics);
      return diagnostics.has_lack() ? exit_incomplete : exit_complete;
    case Command::Info:
      return print_info(options, diagnostics);
    case Command::Traces:
      return print_traces(options, diagnostics);
    case Command::Tasks:
      return print_tasks(options, diagnostics);
    case Command::Triage:
      return print_triage(options, diagnostics);
    case Command::Batch:
      return report_on_tickets(options, diagnostics);
  }
  return exit_complete;
}

int run_or_throw(int argc, char** argv) {
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) {
    return exit_complete;
  }
  check_output(*options);
  TerminalDiagnostics diagnostics(options->verbosity);
  try {
    return run_command(*options, diagnostics);
  } catch (...) {
    diagnostics.clear_progress();
    throw;
  }
}

int complain(const char* message, Failure failure) {
  say(fmt::format("photon-dmesg: {}\n", printable(message)));
  return exit_status(failure);
}

}  // namespace

int run(int argc, char** argv) {
  try {
    return run_or_throw(argc, argv);
  } catch (const Error& error) {
    return complain(error.what(), error.failure());
  } catch (const std::exception& error) {
    return complain(error.what(), Failure::UnusableInput);
  }
}

}  // namespace photon_dmesg
