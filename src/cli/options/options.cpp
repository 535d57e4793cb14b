#include "cli/options/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "cli/io/output_target.h"
#include "cli/io/standard_streams.h"
#include "cli/options/build_features.h"
#include "cli/options/format_options.h"
#include "cli/options/help_format.h"
#include "cli/options/help_texts.h"
#include "cli/options/log_options.h"
#include "cli/options/option_checks.h"
#include "cli/options/option_values.h"
#include "cli/options/task_options.h"

#ifndef PHOTON_DMESG_VERSION
#error "PHOTON_DMESG_VERSION comes from the build"
#endif

namespace photon_dmesg {
namespace {

constexpr const char* packages_group = "Packages";
constexpr const char* help_command = "help";
constexpr const char* batch_name = "batch";

class Parser {
 public:
  Parser() {
    app_.formatter(std::make_shared<HelpFormat>());
    app_.footer(help::levels + help::statuses("the log is whole", help::log_is_incomplete) +
                help::examples);
    app_.get_help_ptr()->description("Print this help");
    app_.set_version_flag("-V,--version", program_version(), "Print the version");
    app_.require_subcommand(0, 1);  // what follows a command is a file, whatever its name
    declare_log();
    refuse_empty_values(app_);
    triage_ = add_command("triage", help::triage_description, &Parser::declare_triage);
    bt_ = add_command("bt", help::bt_description, &Parser::declare_bt);
    ps_ = add_command("ps", help::ps_description, &Parser::declare_ps);
    info_ = add_command("info", help::info_description, &Parser::declare_info);
    core_ = add_command("core", help::core_description, &Parser::declare_core);
    profile_ = add_command("profile", help::profile_description, &Parser::declare_profile);
    batch_ = add_command(batch_name, help::batch_description, &Parser::declare_batch);
    add_command(help_command, help::help_description, &Parser::declare_help);
  }

  std::optional<Options> parse(int argc, char** argv) {
    try {
      std::vector<std::string> arguments = separate_color(argc, argv);
      declare_options_of(arguments);
      refuse_empty_values(arguments, commands());
      ask_for_help(arguments);
      if (!arguments.empty() && arguments.front() == batch_name) mark_symbols_end(arguments);
      std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
      app_.parse(std::move(arguments));
      if (options_.files.empty() && !options_.batch.list) throw CLI::RequiredError("FILE");
    } catch (const CLI::CallForHelp&) {
      print(command()->help());
      return std::nullopt;
    } catch (const CLI::CallForVersion&) {
      print(described_version());
      return std::nullopt;
    } catch (const CLI::ExtrasError&) {
      refuse(unknown_options());
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string what = error.what();
      const bool is_repeated = what.find("At Most") != std::string::npos;
      refuse(what.substr(0, what.find(':')) + (is_repeated ? ": expected one value, found several"
                                                           : ": expected a value, found none"));
    } catch (const CLI::ParseError& error) {
      refuse(error.what());
    }
    if (command() == &app_) refuse_mistyped_command();
    return finish();
  }

 private:
  [[noreturn]] static void refuse(const std::string& why) {
    throw Error(Failure::Usage, why + " (see photon-dmesg --help)");
  }

  // "help COMMAND" as "COMMAND --help".
  void ask_for_help(std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments.front() != help_command) return;
    const std::string topic = arguments.size() > 1 ? arguments[1] : "";
    if (topic.empty() || topic.starts_with('-') || topic == help_command) {
      arguments = {"--help"};
      return;
    }
    const auto is_topic = [&](const CLI::App* command) { return command->get_name() == topic; };
    if (app_.get_subcommands(is_topic).empty()) {
      const std::optional<std::string> meant = meant_command(app_, topic);
      refuse(fmt::format("help {}: photon-dmesg has no such command{}", topic,
                         meant ? fmt::format(": did you mean {}?", *meant) : ""));
    }
    arguments = {topic, "--help"};
  }

  // With -v, what is in it too.
  std::string described_version() {
    const bool verbose = command()->get_option("--verbose")->count() > 0;
    return fmt::format("{}\n{}", program_version(), verbose ? build_features() : "");
  }

  // Of the commands that are among `words`, wherever: what all of them take is not declared each
  // time, as that is a tenth of the work of reading a small log.
  void declare_options_of(const std::vector<std::string>& words) {
    for (auto& [command, declare] : undeclared_) {
      const bool is_named =
          std::find(words.begin(), words.end(), command->get_name()) != words.end();
      if (!is_named || declare == nullptr) continue;
      command->set_version_flag("-V,--version", program_version(), "Print the version");
      (this->*std::exchange(declare, nullptr))();
      refuse_empty_values(*command);
    }
  }

  // What is said of one names the command that has it.
  std::string unknown_options() {
    for (const CLI::App* command : commands()) declare_options_of({command->get_name()});
    const std::vector<std::string> unknown = app_.remaining();
    return unknown.empty() ? describe_unknown(*command(), command()->remaining())
                           : describe_unknown(app_, unknown);
  }

  // Which CLI11 takes for a file.
  void refuse_mistyped_command() {
    for (const std::filesystem::path& file : options_.files) {
      std::error_code ignored;
      if (file.has_parent_path() || std::filesystem::exists(file, ignored)) continue;
      const std::optional<std::string> meant = meant_command(app_, file.string());
      if (!meant) continue;
      refuse(fmt::format("{}: no such file: did you mean photon-dmesg {}?", file.string(), *meant));
    }
  }

  // `declare` adds what it takes, once the command is named.
  CLI::App* add_command(const char* name, const char* description, void (Parser::*declare)()) {
    CLI::App* const command = app_.add_subcommand(name, description)->group("Commands");
    undeclared_.emplace_back(command, declare);
    return command;
  }

  void add_files(CLI::App& command, const char* what) {
    command.add_option("FILE", options_.files, what);
  }

  CLI::Option* add_output(CLI::App& command, const char* name, const char* what) {
    return command.add_option("-o,--output", output_, what)->type_name(name);
  }

  void add_verbosity(CLI::App& command) {
    auto* quiet = command.add_flag("-q,--quiet", quiet_, "No warnings and no progress on stderr");
    command
        .add_flag("-v,--verbose", verbose_, "Say how each address was found, and by what evidence")
        ->excludes(quiet);
  }

  void add_strict(CLI::App& command) {
    command.add_flag("--strict", options_.strict,
                     "Refuse instead of going on without an input that\ncan't be used");
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
                  "Use packages whose digests or signatures do not fit,\nwith a warning")
        ->group(packages_group);
    command
        .add_option("--key", options_.keys,
                    "Also verify signatures with the public key in FILE;\nmay be repeated")
        ->type_name("FILE")
        ->check(exists)
        ->group(packages_group)
        ->allow_extra_args(false);  // one file each time, so that files may follow
  }

  CLI::Option* add_redact(CLI::App& command) {
    return command.add_flag("--redact", options_.redact, help::redact);
  }

  // What is done without a command.
  void declare_log() {
    add_files(app_, "ISO, RPM, vmlinux, System.map or profile; checkpoint; memory");
    add_output(app_, "FILE", "Write to FILE, which appears once it is whole")
        ->group(LogOptions::output_group);
    add_strict(app_);
    add_cache(app_);
    add_packages(app_);
    add_verbosity(app_);
  }

  void declare_profile() {
    profile_->footer(help::statuses("the profile was written", help::output_is_incomplete) +
                     help::profile_examples);
    add_files(*profile_, "ISO, RPM, vmlinux or System.map; checkpoint; memory");
    auto* release =
        profile_->add_option("--release", release_, "Which kernel of an ISO, as uname -r prints it")
            ->type_name("RELEASE");
    profile_
        ->add_flag(
            "--all", options_.all_kernels,
            "One of each kernel in ISOs and packages: -o names a\nfolder, for batch --symbols")
        ->excludes(release);
    add_strict(*profile_);
    add_cache(*profile_);
    add_packages(*profile_);
    add_output(*profile_, "FILE", "Write the profile to FILE instead of stdout");
    add_verbosity(*profile_);
  }

  void declare_core() {
    core_->footer(help::statuses("the folder was written", help::input_is_missing) +
                  help::core_examples);
    add_files(*core_, "ISO, RPM or vmlinux; checkpoint; memory");
    add_output(*core_, "DIR", "The folder to write to, which is made if need be")->required();
    add_strict(*core_);
    add_cache(*core_);
    add_packages(*core_);
    add_verbosity(*core_);
  }

  void declare_info() {
    info_->footer(help::statuses("what the files hold was printed", help::input_is_missing,
                                 help::all_else_is_printed) +
                  help::info_examples);
    add_files(*info_, "Checkpoint; memory; ISO, RPM, vmlinux or System.map");
    add_format_options(*info_, info_formats, options_.report_format);
    auto* tags = info_->add_flag("--tags", options_.tags, "List every tag of the checkpoint");
    auto* screenshot =
        info_
            ->add_option("--screenshot", screenshot_, "Write the guest's last screen to FILE (PNG)")
            ->type_name("FILE");
    auto* configuration = info_
                              ->add_option("--vmx", configuration_,
                                           "Write the machine's configuration (.vmx) to FILE")
                              ->type_name("FILE");
    // In these nothing can be replaced.
    add_redact(*info_)->excludes(tags)->excludes(screenshot)->excludes(configuration);
    add_output(*info_, "FILE", "Write to FILE instead of stdout");
    add_strict(*info_);
    add_cache(*info_);
    add_packages(*info_);
    add_verbosity(*info_);
  }

  // What bt, ps and triage take beside what is their own.
  void add_task_command(CLI::App& command, const ReportFormats& formats) {
    add_files(command, "Checkpoint; memory; ISO, RPM, vmlinux or System.map");
    add_format_options(command, formats, options_.report_format);
    add_redact(command);
    add_output(command, "FILE", "Write to FILE instead of stdout");
    add_strict(command);
    add_cache(command);
    add_packages(command);
    add_verbosity(command);
  }

  void declare_bt() {
    bt_->footer(help::statuses("the traces are whole", help::traces_are_incomplete) +
                help::bt_examples);
    add_task_command(*bt_, task_formats);
    add_bt_options(*bt_, options_.tasks);
  }

  void declare_ps() {
    ps_->footer(help::statuses("the list is whole", help::tasks_are_incomplete) +
                help::ps_examples);
    add_task_command(*ps_, task_formats);
    add_ps_options(*ps_, options_.tasks);
  }

  void declare_triage() {
    triage_->footer(help::statuses("the verdict was given", help::facts_are_missing) +
                    help::status_of_findings + help::triage_examples);
    add_task_command(*triage_, triage_formats);
    add_triage_options(*triage_, options_.triage);
  }

  void declare_batch() {
    batch_->footer(help::statuses("each ticket's log is whole", help::tickets_are_incomplete) +
                   help::batch_examples);
    batch_->add_option("PATH", options_.files, "Checkpoints, dumps, and folders with these below");
    add_output(*batch_, "DIR", "The folder for the results, which is made if need be")->required();
    add_batch_options(*batch_, options_.batch);
    batch_log_options_.emplace(*batch_, options_);
    add_strict(*batch_);
    add_cache(*batch_);
    add_packages(*batch_);
    add_verbosity(*batch_);
  }

  // It is taken for another command's --help before it is parsed.
  void declare_help() {}

  // What is written to files has no colors, and no pager.
  void finish_batch() {
    if (output_ == standard_output) refuse("--output -: expected a folder, found stdout");
    finish_batch_options(*batch_, options_.files, options_.batch);
    if (options_.files.empty() && !options_.batch.list) refuse("PATH is required");
    batch_log_options_->finish();
    options_.style.color = false;
    options_.style.for_terminal = false;
    options_.use_pager = false;
  }

  std::vector<CLI::App*> commands() {
    return {&app_, profile_, core_, info_, bt_, ps_, triage_, batch_};
  }

  CLI::App* command() {
    for (CLI::App* command : {profile_, core_, info_, bt_, ps_, triage_, batch_}) {
      if (command->parsed()) return command;
    }
    return &app_;
  }

  Options finish() {
    if (profile_->parsed()) options_.command = Command::Profile;
    if (core_->parsed()) options_.command = Command::Core;
    if (info_->parsed()) options_.command = Command::Info;
    if (bt_->parsed()) options_.command = Command::Traces;
    if (ps_->parsed()) options_.command = Command::Tasks;
    if (triage_->parsed()) options_.command = Command::Triage;
    if (batch_->parsed()) options_.command = Command::Batch;
    options_.use_cache = !no_cache_;
    options_.verify_packages = !no_verify_;
    const bool is_folder = core_->parsed() || options_.all_kernels;
    if (is_folder && (output_ == standard_output || output_.empty())) {
      refuse(fmt::format("--output{}: expected a folder, found stdout",
                         output_.empty() ? "" : " " + output_));
    }
    if (!output_.empty() && output_ != standard_output) options_.output = output_;
    if (!release_.empty()) options_.release = release_;
    if (!screenshot_.empty()) options_.screenshot = screenshot_;
    if (!configuration_.empty()) options_.configuration = configuration_;
    if (quiet_) options_.verbosity = TerminalDiagnostics::Level::Quiet;
    if (verbose_) options_.verbosity = TerminalDiagnostics::Level::Verbose;
    batch_->parsed() ? finish_batch() : log_options_.finish();
    return std::move(options_);
  }

  CLI::App app_{help::description, "photon-dmesg"};
  CLI::App* profile_ = nullptr;
  CLI::App* core_ = nullptr;
  CLI::App* info_ = nullptr;
  CLI::App* bt_ = nullptr;
  CLI::App* ps_ = nullptr;
  CLI::App* triage_ = nullptr;
  CLI::App* batch_ = nullptr;
  std::vector<std::pair<CLI::App*, void (Parser::*)()>> undeclared_;  // null: it is declared
  Options options_;
  LogOptions log_options_{app_, options_};
  std::optional<LogOptions> batch_log_options_;
  std::string output_;
  std::string release_;
  std::string screenshot_;
  std::string configuration_;
  bool no_cache_ = false;
  bool no_verify_ = false;
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
