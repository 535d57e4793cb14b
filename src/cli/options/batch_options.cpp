#include "cli/options/batch_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "cli/options/option_checks.h"

namespace photon_dmesg {
namespace {

constexpr const char* group = "Tickets";

// What says how the work is done, and not what its results are.
constexpr std::array how_only = {"output", "symbols", "list",  "jobs",    "memory",
                                 "shard",  "resume",  "quiet", "verbose", "all-snapshots"};

bool is_how_only(const CLI::Option& option) {
  return std::any_of(how_only.begin(), how_only.end(),
                     [&](const char* name) { return option.check_lname(name); });
}

// Everything else that was given, and where times are local ones.
std::string fingerprint_of(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0 || option->get_positional() || is_how_only(*option)) continue;
    text += fmt::format("{}={}\n", option->get_name(), fmt::join(option->results(), ","));
  }
  const char* zone = std::getenv("TZ");
  return text + (zone == nullptr ? "" : fmt::format("TZ={}\n", zone));
}

}  // namespace

void mark_symbols_end(std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  if (end != arguments.end()) *end = symbols_end;
}

void add_batch_options(CLI::App& command, BatchOptions& options) {
  const std::string bytes = "a number of bytes";
  command
      .add_option("--symbols", options.symbols,
                  "An ISO, package, vmlinux or profile, or a folder of\n"
                  "such, for all tickets; may be repeated")
      ->type_name("PATH")
      ->group(group)
      ->allow_extra_args(false);
  command
      .add_option("--list", options.list,
                  "Read more PATHs from FILE (- is stdin), a line each;\n"
                  "a line with tabs is one ticket: its name and files")
      ->type_name("FILE")
      ->group(group);
  command
      .add_flag("--all-snapshots", options.all_snapshots,
                "Each snapshot of a VM is a ticket, not only its\ncurrent state")
      ->group(group);
  command
      .add_option("--shard", options.shard,
                  "Do only the K-th of N parts: for N machines that are\ngiven the same tickets")
      ->type_name("K/N")
      ->group(group);
  command.add_flag("--resume", options.resume, "Do only what is not done yet, judged by content")
      ->group(group);
  command
      .add_flag(
          "--gather", options.gather,
          "PATH... are folders of results: make one summary of\nthem; with --list, say what is "
          "missing")
      ->group(group);
  command.add_option("-j,--jobs", options.jobs, "How many tickets at a time (default: processors)")
      ->type_name("N")
      ->transform(whole_number("a number of jobs"))
      ->group(group);
  command
      .add_option("--memory", options.memory,
                  "Read no more at a time than fit in SIZE of memory,\nsuch as 2G")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false))
      ->group(group);
}

void finish_batch_options(const CLI::App& command, std::vector<std::filesystem::path>& files,
                          BatchOptions& options) {
  options.fingerprint = fingerprint_of(command);
  const auto end = std::find(files.begin(), files.end(), std::filesystem::path(symbols_end));
  if (end == files.end()) return;
  options.symbols.insert(options.symbols.end(), files.begin(), end);
  files.erase(files.begin(), end + 1);
}

}  // namespace photon_dmesg
