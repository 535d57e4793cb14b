#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "base/error.h"

#ifndef PHOTON_DMESG_VERSION
#error "PHOTON_DMESG_VERSION comes from the build"
#endif

namespace photon_dmesg {
namespace {

constexpr const char* description =
    "Prints the kernel log of a suspended Photon OS virtual machine.\n\n"
    "FILE... are, in any order and told apart by content:\n"
    "  where the kernel's symbols come from: an ISO with the guest's kernel or its debuginfo\n"
    "    package, such a package (.rpm), a vmlinux with debug information, a System.map, or a\n"
    "    profile that photon-dmesg profile has written;\n"
    "    without any, they are looked for in the guest's memory\n"
    "  the checkpoint: .vmss (suspended) or .vmsn (snapshot)\n"
    "  its memory: .vmem; without it the one beside the checkpoint is used, unless the\n"
    "    checkpoint holds the memory itself";

constexpr const char* profile_description =
    "Writes a kernel's profile: a small file with all that its log needs, which replaces the ISO.\n"
    "Name a checkpoint for the kernel it runs, or an ISO and --release, or one package, vmlinux\n"
    "or System.map.";

constexpr const char* footer =
    "Exit status:\n"
    "  0  the log was printed\n"
    "  1  it was printed, but is incomplete, or without the times asked for; the warnings say\n"
    "     what is missing, or why the output could not be written\n"
    "  2  the command line makes no sense\n"
    "  3  an input can't be used: unreadable, damaged, encrypted, without debug information\n"
    "  4  the inputs don't belong together: another kernel, another machine's memory\n\n"
    "Example:\n"
    "  photon-dmesg photon.iso vm.vmss vm.vmem";

const OutputFormat* find_format(const std::string& name) {
  const auto* found = std::find_if(output_formats.begin(), output_formats.end(),
                                   [&](const OutputFormat& format) { return format.name == name; });
  if (found == output_formats.end()) {
    throw Error(Failure::Usage, fmt::format("--format {}: expected text, json or ndjson", name));
  }
  return found;
}

TimeFormat find_time_format(const std::string& name) {
  if (name == "ctime") return TimeFormat::Ctime;
  if (name == "iso") return TimeFormat::Iso;
  throw Error(Failure::Usage, fmt::format("--time-format {}: expected ctime or iso", name));
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  std::string format;
  std::string output;
  std::string release;
  std::string time_format;
  bool ctime = false;
  bool no_cache = false;
  bool json = false;
  bool verbose = false;
  bool quiet = false;

  CLI::App app(description, "photon-dmesg");
  app.footer(footer);
  app.set_version_flag("--version", "photon-dmesg " PHOTON_DMESG_VERSION);
  app.add_option("FILE", options.files,
                 "ISO, RPM, vmlinux, System.map or profile; checkpoint; memory");
  auto* json_flag =
      app.add_flag("-J,--json", json, "Print one JSON document, a superset of dmesg -J");
  app.add_option("--format", format, "text (default), json, or ndjson: one JSON object a record")
      ->type_name("FORMAT")
      ->excludes(json_flag);
  const auto add_common_options = [&](CLI::App& command, const char* what) {
    command.add_option("-o,--output", output, what)->type_name("FILE");
    auto* quiet_flag =
        command.add_flag("-q,--quiet", quiet, "No warnings and no progress on stderr");
    command
        .add_flag("-v,--verbose", verbose,
                  "Say how each address was found, and the evidence for it")
        ->excludes(quiet_flag);
  };
  auto* ctime_flag = app.add_flag("-T,--ctime", ctime, "Local time of day, by the guest's clock");
  app.add_option("--time-format", time_format, "ctime, as -T, or iso: ISO 8601 with microseconds")
      ->type_name("FORMAT")
      ->excludes(ctime_flag);
  auto* since_clear_flag =
      app.add_flag("--since-clear", options.since_clear,
                   "Only what dmesg in the guest would show: records since its last dmesg -C");
  app.add_flag("--cleared", options.cleared, "Only records before the guest's last dmesg -C")
      ->excludes(since_clear_flag);
  app.add_flag("--unprinted", options.unprinted, "Only records that no console had printed yet");
  app.add_flag("--no-cache", no_cache,
               "Read packages anew and store nothing in $XDG_CACHE_HOME/photon-dmesg");
  add_common_options(app, "Write the log to FILE instead of stdout");

  CLI::App* profile = app.add_subcommand("profile", profile_description);
  profile->add_option("FILE", options.files, "ISO, RPM, vmlinux or System.map; checkpoint; memory");
  profile->add_option("--release", release, "Which kernel of an ISO, as uname -r prints it")
      ->type_name("RELEASE");
  add_common_options(*profile, "Write the profile to FILE instead of stdout");

  try {
    app.parse(argc, argv);
    if (options.files.empty()) throw CLI::RequiredError("FILE");
  } catch (const CLI::CallForHelp&) {
    std::cout << (profile->parsed() ? profile : &app)->help();
    return std::nullopt;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Error(Failure::Usage, fmt::format("{} (see photon-dmesg --help)", error.what()));
  }
  if (profile->parsed()) options.command = Command::Profile;
  if (json) format = "json";
  if (!format.empty()) options.format = find_format(format);
  options.use_cache = !no_cache;
  if (ctime) time_format = "ctime";
  if (!time_format.empty()) options.time_format = find_time_format(time_format);
  if (!output.empty()) options.output = output;
  if (!release.empty()) options.release = release;
  if (quiet) options.verbosity = Diagnostics::Level::Quiet;
  if (verbose) options.verbosity = Diagnostics::Level::Verbose;
  return options;
}

}  // namespace photon_dmesg
