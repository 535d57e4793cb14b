#include "cli/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <utility>

#include "base/error.h"
#include "cli/help_format.h"
#include "cli/option_values.h"

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

constexpr const char* statuses =
    "Exit status:\n"
    "  0  the log was printed\n"
    "  1  it was printed, but is incomplete, or without the times asked for; the warnings say\n"
    "     what is missing, or why the output could not be written\n"
    "  2  the command line makes no sense\n"
    "  3  an input can't be used: unreadable, damaged, encrypted, without debug information\n"
    "  4  the inputs don't belong together: another kernel, another machine's memory";

constexpr const char* examples =
    "\n\nExamples:\n"
    "  photon-dmesg photon.iso vm.vmss vm.vmem\n"
    "  photon-dmesg vm.vmss -H                         as dmesg -H: colors, pager\n"
    "  photon-dmesg vm.vmss -T -l err+ --tail 20       the last errors, by time of day\n"
    "  photon-dmesg vm.vmss --since \"10 min ago\" --time-format suspend\n"
    "  photon-dmesg vm.vmss --grep \"blocked for more\" -A 30\n"
    "  photon-dmesg vm.vmss --format ndjson -o vm.ndjson\n"
    "  photon-dmesg vm.vmss --format kmsg | dmesg -K /dev/stdin -T";

constexpr const char* packages_group = "Packages";

class Parser {
 public:
  Parser() {
    app_.formatter(std::make_shared<HelpFormat>());
    app_.footer(std::string(statuses) + examples);
    app_.set_version_flag("-V,--version", program_version());
    add_log_options();
    add_profile_command();
    add_core_command();
    add_info_command();
    for (CLI::App* command : {profile_, core_, info_}) {
      command->footer(statuses);
      command->set_version_flag("-V,--version", program_version());
    }
  }

  std::optional<Options> parse(int argc, char** argv) {
    try {
      std::vector<std::string> arguments = separate_color(argc, argv);
      std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
      app_.parse(std::move(arguments));
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
        .add_flag("-v,--verbose", verbose_, "How each address was found, and the evidence for it")
        ->excludes(quiet);
  }

  void add_cache(CLI::App& command) {
    command.add_flag("--no-cache", no_cache_, "Read packages anew, and keep nothing of them")
        ->group(packages_group);
  }

  void add_packages(CLI::App& command) {
    CLI::Validator exists = CLI::ExistingFile;
    exists.description("");  // the type's name says it
    command
        .add_flag("--no-verify", no_verify_,
                  "Use a package whose digests or signatures do not\nfit, with a warning")
        ->group(packages_group);
    command.add_option("--key", options_.keys,
                       "Verify signatures with the public key in FILE too")
        ->type_name("FILE")
        ->check(exists)
        ->group(packages_group)
        ->allow_extra_args(false);  // one file each time, so that files may follow
  }

  void add_log_options() {
    add_files(app_, "ISO, RPM, vmlinux, System.map or profile; checkpoint; memory");
    add_selection();
    add_matching();
    add_times();
    add_style();
    add_formats();
    add_cache(app_);
    add_packages(app_);
    add_verbosity(app_);
  }

  // An option that may be given several times, each with one value, so that files may follow.
  CLI::Option* add_list(const char* name, std::vector<std::string>& values, const char* what,
                        const char* type, const char* group) {
    return app_.add_option(name, values, what)
        ->type_name(type)
        ->group(group)
        ->allow_extra_args(false);
  }

  template <typename Value>
  CLI::Option* add_value(const char* name, Value& value, const std::string& what, const char* type,
                         const char* group) {
    return app_.add_option(name, value, what)->type_name(type)->group(group);
  }

  template <typename Value>
  CLI::Option* add_number(const char* name, Value& value, const char* what, const char* group) {
    CLI::Validator not_negative = CLI::NonNegativeNumber;
    not_negative.description("");  // the type's name says it
    return add_value(name, value, what, "N", group)->check(not_negative);
  }

  CLI::Option* add_switch(const char* name, bool& value, const char* what, const char* group) {
    return app_.add_flag(name, value, what)->group(group);
  }

  void add_selection() {
    const char* const group = "Which records";
    add_list("-l,--level", levels_,
             "Only these levels, such as err,warn; err+ is err and\n"
             "worse, +err is err and less severe",
             "LIST", group);
    add_list("-f,--facility", facilities_, "Only these facilities, such as kern,daemon", "LIST",
             group);
    add_switch("-k,--kernel", kernel_, "Only the kernel's own messages", group);
    add_switch("-u,--userspace", userspace_, "Only messages that programs wrote to the log", group);
    add_value("--since", since_,
              "Only after this time, such as 17:00, \"2026-11-23 17:00\",\n"
              "\"1 hour ago\" or -5min; now is when the guest stopped",
              "TIME", group);
    add_value("--until", until_, "Only before this time", "TIME", group);
    add_number("--from-seq", options_.selection.first_seq, "Only from this sequence number on",
               group);
    auto* since_clear = add_switch("--since-clear", options_.since_clear,
                                   "Only what dmesg in the guest would show: since its\n"
                                   "last dmesg -C",
                                   group);
    add_switch("--cleared", options_.cleared, "Only before the guest's last dmesg -C", group)
        ->excludes(since_clear);
    add_switch("--unprinted", options_.unprinted, "Only what no console had printed yet", group);
    add_number("--head", options_.selection.head, "Only the first N of these", group);
    add_number("--tail", options_.selection.tail, "Only the last N of these", group);
  }

  void add_matching() {
    const char* const group = "Which text";
    auto* grep = add_value("--grep", pattern_, "Only records with a line that matches, as grep -E",
                           "REGEX", group);
    add_switch("-i,--ignore-case", ignore_case_, "Upper and lower case match each other", group)
        ->needs(grep);
    auto* before = add_number("-B,--before-context", options_.selection.lines_before,
                              "And N records before each of them", group)
                       ->needs(grep);
    auto* after = add_number("-A,--after-context", options_.selection.lines_after,
                             "And N records behind it", group)
                      ->needs(grep);
    add_number("-C,--context", context_, "And N records before and behind it", group)
        ->needs(grep)
        ->excludes(before)
        ->excludes(after);
  }

  void add_times() {
    const char* const group = "Times";
    add_time("-T,--ctime", TimeFormat::Ctime, "Local time of day, by the guest's clock", group);
    add_time("-t,--notime", TimeFormat::None, "No time", group);
    show_delta_flag_ =
        add_switch("-d,--show-delta", show_delta_, "Also the time since the record before", group);
    add_time("-e,--reltime", TimeFormat::Reltime,
             "Time of day once a minute, else the time since the\nrecord before", group);
    time_format_ = add_list("--time-format", time_format_names_,
                            "ctime, notime, delta, reltime, iso, raw, or suspend\n"
                            "(\"3 min 12 s before suspend\"); may be several",
                            "FORMAT", group);
  }

  void add_time(const char* name, TimeFormat format, const std::string& what, const char* group) {
    time_flags_.emplace_back(app_.add_flag(name, what)->group(group), format);
  }

  void add_style() {
    const char* const group = "How text looks";
    auto* raw = add_switch("-r,--raw", options_.style.raw,
                           "The kernel's own \"<6>[    0.000000] text\"", group);
    auto* decode = add_switch("-x,--decode", options_.style.decode,
                              "Facility and level before each record", group);
    add_switch("-p,--force-prefix", options_.style.force_prefix,
               "The prefix on every line of a record", group);
    add_switch("--noescape", noescape_, "Unprintable bytes as they are", group);
    auto* color = app_.add_flag("-L{auto},--color{auto}", color_,
                                "--color=auto (the default: on a terminal), always or\n"
                                "never; NO_COLOR turns auto off")
                      ->group(group);
    auto* human = add_switch("-H,--human", human_, "-e, and a pager on a terminal", group);
    add_switch("-P,--nopager", nopager_, "No pager for -H", group);
    for (CLI::Option* other : {decode, color, human}) raw->excludes(other);
    for (const auto& [flag, format] : time_flags_) raw->excludes(flag);
    raw->excludes(time_format_)->excludes(show_delta_flag_);
  }

  void add_formats() {
    const char* const group = "Output";
    auto* dmesg_json = add_switch("-J", dmesg_json_, "JSON as dmesg -J prints it", group);
    auto* json = add_switch("--json", json_,
                            "One JSON document with all that is known of each\n"
                            "record, the guest and the sources",
                            group)
                     ->excludes(dmesg_json);
    add_value("--format", format_,
              "What to print: text, json, ndjson (a record a line),\n"
              "dmesg-json, ecs, otlp, journal-json, journal-export,\nsyslog or kmsg",
              "FORMAT", group)
        ->excludes(json)
        ->excludes(dmesg_json);
    add_output(app_, "FILE", "Write the log to FILE, which appears when it is whole")->group(group);
  }

  void add_profile_command() {
    profile_ = app_.add_subcommand("profile", profile_description);
    add_files(*profile_, "ISO, RPM, vmlinux or System.map; checkpoint; memory");
    profile_->add_option("--release", release_, "Which kernel of an ISO, as uname -r prints it")
        ->type_name("RELEASE");
    add_cache(*profile_);
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
    if (dmesg_json_) format_ = "dmesg-json";
    if (!format_.empty()) options_.format = find_format(format_);
    options_.json = json_;
    options_.use_cache = !no_cache_;
    options_.verify_packages = !no_verify_;
    finish_selection();
    finish_style();
    if (!output_.empty()) options_.output = output_;
    if (!release_.empty()) options_.release = release_;
    if (!screenshot_.empty()) options_.screenshot = screenshot_;
    if (!configuration_.empty()) options_.configuration = configuration_;
    if (quiet_) options_.verbosity = TerminalDiagnostics::Level::Quiet;
    if (verbose_) options_.verbosity = TerminalDiagnostics::Level::Verbose;
    return std::move(options_);
  }

  void finish_selection() {
    Selection& selection = options_.selection;
    if (!levels_.empty()) selection.levels.emplace();
    for (const std::string& list : levels_) add_levels(list, *selection.levels);
    if (!facilities_.empty() || kernel_ || userspace_) selection.facilities.emplace();
    for (const std::string& list : facilities_) add_facilities(list, *selection.facilities);
    constexpr std::size_t kernel = 0;
    if (userspace_) {
      const bool had_kernel = selection.facilities->test(kernel);
      selection.facilities->set().set(kernel, had_kernel);
    }
    if (kernel_) selection.facilities->set(kernel);
    if (since_) check_time("--since", *since_);
    if (until_) check_time("--until", *until_);
    options_.since = since_;
    options_.until = until_;
    if (context_) selection.lines_before = selection.lines_after = *context_;
    if (pattern_) selection.pattern = std::make_shared<const Pattern>(*pattern_, ignore_case_);
  }

  void finish_style() {
    TextStyle& style = options_.style;
    style.times = combine(asked_times(), show_delta_);
    style.escape = !noescape_;
    style.color = wants_color(color_, output_.empty()) && !style.raw;
    options_.use_pager = human_ && !nopager_ && output_.empty() &&
                         options_.format == &output_formats.front() && ::isatty(STDOUT_FILENO) == 1;
  }

  // In the order in which they stand on the command line, which is that of the output.
  std::vector<TimeFormat> asked_times() {
    std::vector<TimeFormat> asked;
    std::size_t next_name = 0;
    for (const CLI::Option* option : app_.parse_order()) {
      if (option == time_format_) {
        asked.push_back(find_time_format(time_format_names_.at(next_name++)));
      } else if (option->check_name("--human")) {
        asked.push_back(TimeFormat::Reltime);
      } else {
        for (const auto& [flag, format] : time_flags_) {
          if (option == flag) asked.push_back(format);
        }
      }
    }
    return asked;
  }

  CLI::App app_{description, "photon-dmesg"};
  CLI::App* profile_ = nullptr;
  CLI::App* core_ = nullptr;
  CLI::App* info_ = nullptr;
  Options options_;
  std::string format_;
  std::string output_;
  std::string release_;
  std::vector<std::string> levels_;
  std::vector<std::string> facilities_;
  std::optional<std::string> since_;
  std::optional<std::string> until_;
  std::optional<std::string> pattern_;
  std::optional<std::size_t> context_;
  std::vector<std::string> time_format_names_;
  CLI::Option* time_format_ = nullptr;
  CLI::Option* show_delta_flag_ = nullptr;
  std::vector<std::pair<CLI::Option*, TimeFormat>> time_flags_;
  std::string color_;
  std::string screenshot_;
  std::string configuration_;
  bool show_delta_ = false;
  bool kernel_ = false;
  bool userspace_ = false;
  bool ignore_case_ = false;
  bool human_ = false;
  bool nopager_ = false;
  bool noescape_ = false;
  bool dmesg_json_ = false;
  bool no_cache_ = false;
  bool no_verify_ = false;
  bool json_ = false;
  bool verbose_ = false;
  bool quiet_ = false;
};

}  // namespace

std::string program_version() {
  return "photon-dmesg " PHOTON_DMESG_VERSION;
}

std::optional<Options> parse_options(int argc, char** argv) {
  return Parser().parse(argc, argv);
}

}  // namespace photon_dmesg
