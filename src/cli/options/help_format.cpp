#include "cli/options/help_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace photon_dmesg {
namespace {

constexpr std::size_t width = 28;
constexpr const char* usage_of_commands = R"(
       photon-dmesg triage [OPTIONS] FILE...
       photon-dmesg bt [OPTIONS] FILE...
       photon-dmesg ps [OPTIONS] FILE...
       photon-dmesg info [OPTIONS] FILE...
       photon-dmesg core [OPTIONS] FILE... -o DIR
       photon-dmesg profile [OPTIONS] FILE...
       photon-dmesg batch [OPTIONS] PATH... -o DIR
       photon-dmesg help [COMMAND])";

}  // namespace

HelpFormat::HelpFormat() {
  column_width(width);
}

std::string HelpFormat::make_description(const CLI::App* app) const {
  return app->get_description() + "\n\n";
}

std::string HelpFormat::make_usage(const CLI::App* app, std::string name) const {
  if (app->get_parent() != nullptr) {
    const CLI::Option* const output = app->get_option_no_throw("--output");
    const bool is_folder = output != nullptr && output->get_required();
    const bool takes_paths = app->get_option_no_throw("PATH") != nullptr;
    return fmt::format("Usage: photon-dmesg {} [OPTIONS] {}...{}\n\n", name,
                       takes_paths ? "PATH" : "FILE", is_folder ? " -o DIR" : "");
  }
  return fmt::format("Usage: {} [OPTIONS] FILE...{}\n\n", name, usage_of_commands);
}

// The description says what FILE may be.
std::string HelpFormat::make_positionals(const CLI::App* /*app*/) const {
  return "";
}

// Without the empty line in front: CLI11 puts another one behind.
std::string HelpFormat::make_group(std::string group, bool is_positional,
                                   std::vector<const CLI::Option*> options) const {
  return CLI::Formatter::make_group(std::move(group), is_positional, std::move(options)).substr(1);
}

// The first line of what the command says of itself.
std::string HelpFormat::make_subcommand(const CLI::App* command) const {
  const std::string all = command->get_description();
  return fmt::format("  {:<{}}{}\n", command->get_name(), width - 2, all.substr(0, all.find('\n')));
}

std::string HelpFormat::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional) return option->get_name(true, false);
  std::string names = fmt::format("{}", fmt::join(option->get_snames(), ""));
  if (!names.empty()) names = "-" + names;
  for (const std::string& name : option->get_lnames()) {
    names += (names.empty() ? "    --" : ", --") + name;
  }
  return names;
}

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  const bool takes_value = option->get_items_expected_max() > 0 && !option->get_positional();
  return takes_value ? " " + option->get_type_name() : "";
}

}  // namespace photon_dmesg
