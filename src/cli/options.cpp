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
    "  where the kernel's symbols come from: ISOs with the guest's kernel or its debuginfo\n"
    "    package, such packages (.rpm), or folders with them, as a mounted ISO is; an ISO or\n"
    "    package may come through a pipe (-: stdin);\n"
    "    or a vmlinux with debug information, a System.map, or a profile that photon-dmesg\n"
    "    profile has written;\n"
    "    without any, they are looked for in the guest's memory\n"
    "  the checkpoint: .vmss (suspended) or .vmsn (snapshot), also debug.guest\n"
    "  its memory: .vmem; without it the one beside the checkpoint is used, unless the\n"
    "    checkpoint holds the memory itself\n"
    "  instead of the last two: an ELF core, kdump file, LiME image or memory alone\n\n"
    "photon-dmesg info says what files hold, photon-dmesg core makes a core for gdb and crash.";

constexpr const char* profile_description =
    "Writes a kernel's profile: a small file with all that its log needs, which replaces the ISO.\n"
    "Name a checkpoint for the kernel it runs, or an ISO and --release, or one package, vmlinux\n"
    "or System.map.";

constexpr const char* core_description =
    "Writes a folder for gdb and crash: vmss.core (registers and memory of the guest), vmlinux if\n"
    "an ISO, package or vmlinux with it is among FILE..., gdb's macros and a .gdbinit.";

constexpr const char* info_description =
    "Says what files hold: the checkpoint's kind, product, groups and vCPUs, where its memory "
    "lies,\n"
    "the guest's kernel and how long it was up. Can take its screenshot and configuration out.";

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

// The command line and where CLI11 puts what it finds there.
class Parser {
 public:
  Parser() {
    app_.footer(footer);
    app_.set_version_flag("--version", "photon-dmesg " PHOTON_DMESG_VERSION);
    add_log_options();
    add_profile_command();
    add_core_command();
    add_info_command();
  }

  std::optional<Options> parse(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
      if (options_.files.empty()) throw CLI::RequiredError("FILE");
    } catch (const CLI::CallForHelp&) {
      std::cout << command()->help();
      return std::nullopt;
    } catch (const CLI::CallForVersion& version) {
      std::cout << version.what() << '\n';
      return std::nullopt;
    } catch (const CLI::ParseError& error) {
      throw Error(Failure::Usage, fmt::format("{} (see photon-dmesg --help)", error.what()));
    }
    return finish();
  }

 private:
  void add_files(CLI::App& command, const char* what) {
    command.add_option("FILE", options_.files, what);
  }

  CLI::Option* add_output(CLI::App& command, const char* name, const char* what) {
    return command.add_option("-o,--output", output_, what)->type_name(name);
  }

  void add_verbosity(CLI::App& command) {
    auto* quiet = command.add_flag("-q,--quiet", quiet_, "No warnings and no progress on stderr");
    command
        .add_flag("-v,--verbose", verbose_,
                  "Say how each address was found, and the evidence for it")
        ->excludes(quiet);
  }

  void add_cache(CLI::App& command) {
    command.add_flag("--no-cache", no_cache_,
                     "Read packages anew and store nothing in $XDG_CACHE_HOME/photon-dmesg");
  }

  void add_packages(CLI::App& command) {
    CLI::Validator exists = CLI::ExistingFile;
    exists.description("");  // the type's name says it
    command.add_flag("--no-verify", no_verify_,
                     "Use packages whose digests or signatures do not fit, with a warning");
    command
        .add_option("--key", options_.keys,
                    "Verify packages' signatures with the public key in FILE too")
        ->type_name("FILE")
        ->check(exists)
        ->allow_extra_args(false);  // one file each time, so that files may follow
  }

  void add_log_options() {
    add_files(app_, "ISO, RPM, vmlinux, System.map or profile; checkpoint; memory");
    auto* json =
        app_.add_flag("-J,--json", json_, "Print one JSON document, a superset of dmesg -J");
    app_.add_option("--format", format_,
                    "text (default), json, or ndjson: one JSON object a record")
        ->type_name("FORMAT")
        ->excludes(json);
    auto* ctime = app_.add_flag("-T,--ctime", ctime_, "Local time of day, by the guest's clock");
    app_.add_option("--time-format", time_format_,
                    "ctime, as -T, or iso: ISO 8601 with microseconds")
        ->type_name("FORMAT")
        ->excludes(ctime);
    auto* since_clear =
        app_.add_flag("--since-clear", options_.since_clear,
                      "Only what dmesg in the guest would show: records since its last dmesg -C");
    app_.add_flag("--cleared", options_.cleared, "Only records before the guest's last dmesg -C")
        ->excludes(since_clear);
    app_.add_flag("--unprinted", options_.unprinted,
                  "Only records that no console had printed yet");
    add_cache(app_);
    add_packages(app_);
    add_output(app_, "FILE", "Write the log to FILE instead of stdout");
    add_verbosity(app_);
  }

  void add_profile_command() {
    profile_ = app_.add_subcommand("profile", profile_description);
    add_files(*profile_, "ISO, RPM, vmlinux or System.map; checkpoint; memory");
    profile_->add_option("--release", release_, "Which kernel of an ISO, as uname -r prints it")
        ->type_name("RELEASE");
    add_packages(*profile_);
    add_output(*profile_, "FILE", "Write the profile to FILE instead of stdout");
    add_verbosity(*profile_);
  }

  void add_core_command() {
    core_ = app_.add_subcommand("core", core_description);
    add_files(*core_, "ISO, RPM or vmlinux; checkpoint; memory");
    add_output(*core_, "DIR", "The folder to write to, which is made if need be")->required();
    add_cache(*core_);
    add_packages(*core_);
    add_verbosity(*core_);
  }

  void add_info_command() {
    info_ = app_.add_subcommand("info", info_description);
    add_files(*info_, "Checkpoint; memory; ISO, RPM, vmlinux or System.map");
    info_->add_flag("-J,--json", json_, "Print one JSON document");
    info_->add_flag("--tags", options_.tags, "List every tag of the checkpoint");
    info_->add_option("--screenshot", screenshot_, "Write the guest's last screen to FILE (PNG)")
        ->type_name("FILE");
    info_->add_option("--vmx", configuration_, "Write the machine's configuration (.vmx) to FILE")
        ->type_name("FILE");
    add_output(*info_, "FILE", "Write to FILE instead of stdout");
    add_cache(*info_);
    add_packages(*info_);
    add_verbosity(*info_);
  }

  CLI::App* command() {
    for (CLI::App* command : {profile_, core_, info_}) {
      if (command->parsed()) return command;
    }
    return &app_;
  }

  Options finish() {
    if (profile_->parsed()) options_.command = Command::Profile;
    if (core_->parsed()) options_.command = Command::Core;
    if (info_->parsed()) options_.command = Command::Info;
    if (json_) format_ = "json";
    if (!format_.empty()) options_.format = find_format(format_);
    options_.json = json_;
    options_.use_cache = !no_cache_;
    options_.verify_packages = !no_verify_;
    if (ctime_) time_format_ = "ctime";
    if (!time_format_.empty()) options_.time_format = find_time_format(time_format_);
    if (!output_.empty()) options_.output = output_;
    if (!release_.empty()) options_.release = release_;
    if (!screenshot_.empty()) options_.screenshot = screenshot_;
    if (!configuration_.empty()) options_.configuration = configuration_;
    if (quiet_) options_.verbosity = Diagnostics::Level::Quiet;
    if (verbose_) options_.verbosity = Diagnostics::Level::Verbose;
    return std::move(options_);
  }

  CLI::App app_{description, "photon-dmesg"};
  CLI::App* profile_ = nullptr;
  CLI::App* core_ = nullptr;
  CLI::App* info_ = nullptr;
  Options options_;
  std::string format_;
  std::string output_;
  std::string release_;
  std::string time_format_;
  std::string screenshot_;
  std::string configuration_;
  bool ctime_ = false;
  bool no_cache_ = false;
  bool no_verify_ = false;
  bool json_ = false;
  bool verbose_ = false;
  bool quiet_ = false;
};

}  // namespace

std::optional<Options> parse_options(int argc, char** argv) {
  return Parser().parse(argc, argv);
}

}  // namespace photon_dmesg
