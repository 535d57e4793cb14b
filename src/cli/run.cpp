#include "cli/run.h"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <string>
#include <string_view>

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
#include "cli/private_names.h"
#include "cli/profile_command.h"
#include "cli/task_commands.h"
#include "cli/triage_command.h"

namespace photon_dmesg {
namespace {

int run_command(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  switch (options.command) {
    case Command::Log:
      return print_log(options, redactor, diagnostics);
    case Command::Profile:
      print_profile(options, diagnostics);
      return diagnostics.has_lack() ? exit_incomplete : exit_complete;
    case Command::Core:
      write_core_folder(options, diagnostics);
      return diagnostics.has_lack() ? exit_incomplete : exit_complete;
    case Command::Info:
      return print_info(options, redactor, diagnostics);
    case Command::Traces:
      return print_traces(options, redactor, diagnostics);
    case Command::Tasks:
      return print_tasks(options, redactor, diagnostics);
    case Command::Triage:
      return print_triage(options, redactor, diagnostics);
    case Command::Batch:
      return report_on_tickets(options, diagnostics);
  }
  return exit_complete;
}

// Runs `work`. Whatever ends it, nothing is held back then; and an Error says what may be said.
template <typename Work>
int say_whole(TerminalDiagnostics& diagnostics, Work work) {
  try {
    const int status = work();
    diagnostics.release();
    return status;
  } catch (const Error& error) {
    diagnostics.release();
    diagnostics.clear_progress();
    throw Error(error.failure(), diagnostics.said(error.what()));
  } catch (const std::exception& error) {
    diagnostics.release();
    diagnostics.clear_progress();
    throw unusable(diagnostics.said(error.what()));
  }
}

int run_or_throw(int argc, char** argv) {
  check_messages({});  // by its name: options too can be complained about
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) {
    return exit_complete;
  }
  check_messages(*options);
  Redactor redactor;
  TerminalDiagnostics diagnostics(options->verbosity);
  if (options->redact) {
    learn_machines(options->files, redactor);
    diagnostics.hold([&](std::string_view message) { return redactor.redact(message); });
  }
  return say_whole(diagnostics, [&] {
    check_output(*options);
    return run_command(*options, redactor, diagnostics);
  });
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
