#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/io/terminal_diagnostics.h"
#include "cli/options/batch_options.h"
#include "cli/options/task_options.h"
#include "cli/options/triage_options.h"
#include "report/formats/output_format.h"
#include "report/record_filter.h"

namespace photon_dmesg {

// What the program is asked for.
enum class Command {
  Log,      // print the guest's log
  Profile,  // write a kernel's profile
  Core,     // write a folder for gdb and crash
  Info,     // say what the files hold
  Traces,   // print what vCPUs and tasks were doing
  Tasks,    // list the tasks
  Triage,   // say what is wrong with the guest
  Batch,    // report on many guests
};

// The command line, taken apart.
struct Options {
  Command command = Command::Log;
  std::vector<std::filesystem::path> files;
  std::optional<std::filesystem::path> output;  // absent: stdout, also for "-"; Core: the folder
  const OutputFormat* format = &output_formats.front();
  TerminalDiagnostics::Level verbosity = TerminalDiagnostics::Level::Normal;
  TextStyle style;
  bool redact = false;  // what prints: names of people and machines are replaced
  bool use_pager = false;
  Selection selection;               // without what only the guest can tell, which is:
  std::optional<std::string> since;  // --since and --until, which are times
  std::optional<std::string> until;
  bool since_clear = false;  // only records since the guest's last dmesg -C
  bool cleared = false;      // only records before it
  bool unprinted = false;    // only records that no console has printed
  bool use_cache = true;
  bool verify_packages = true;                         // refuse packages that are damaged
  bool strict = false;                                 // refuse what can't be used
  std::vector<std::filesystem::path> keys;             // public keys of packages' signatures
  std::optional<std::string> release;                  // Profile: which kernel of an ISO
  bool all_kernels = false;                            // Profile: one of each, to a folder
  std::string report_format = "text";                  // all but Log: a name that it takes
  bool tags = false;                                   // Info: list every tag
  std::optional<std::filesystem::path> screenshot;     // Info: where to write it
  std::optional<std::filesystem::path> configuration;  // Info: where to write it
  TaskOptions tasks;                                   // Traces, Tasks
  TriageOptions triage;                                // Triage
  BatchOptions batch;                                  // Batch
};

// Parses the arguments. Nothing if --help or --version has been answered. Throws Error(Usage) when
// they make no sense.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv);

// "photon-dmesg 1.2.3"
[[nodiscard]] std::string program_version();

}  // namespace photon_dmesg
