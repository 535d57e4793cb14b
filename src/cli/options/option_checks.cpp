#include "cli/options/option_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/options/suggestions.h"

namespace photon_dmesg {
namespace {

constexpr const char* empty_value = "expected a value, found an empty one";

std::vector<std::string> long_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

bool has_option(const CLI::App& command, const std::string& name) {
  return command.get_option_no_throw(name) != nullptr;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// What helps who gave `name`, which `command` does not have.
std::string advice(const CLI::App& command, const std::string& name) {
  const CLI::App* const log = command.get_parent();
  if (log != nullptr && has_option(*log, name)) return ", the log has";
  const CLI::App& all = log == nullptr ? command : *log;
  for (const CLI::App* other : commands_of(all)) {
    if (other != &command && has_option(*other, name)) {
      return fmt::format(", photon-dmesg {} has", other->get_name());
    }
  }
  const std::optional<std::string> meant = nearest(name, long_names(command));
  return meant ? fmt::format(": did you mean {}?", *meant) : "";
}

bool is_option(const std::string& name, const std::vector<CLI::App*>& commands) {
  return std::any_of(commands.begin(), commands.end(),
                     [&](const CLI::App* command) { return has_option(*command, name); });
}

}  // namespace

CLI::Validator whole_number(const std::string& what, std::uint64_t most) {
  const auto check = [what, most](std::string& text) -> std::string {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || rest != end || number > most) {
      return fmt::format("expected {}, found \"{}\"", what, text);
    }
    text = std::to_string(number);  // 010 is ten, not CLI11's eight
    return "";
  };
  return {check, ""};
}

CLI::Validator one_of(const std::vector<std::string>& names) {
  return {[&names](std::string& value) {
            if (std::find(names.begin(), names.end(), value) != names.end()) return std::string();
            return fmt::format("expected one of {}, found {}", fmt::join(names, ", "), value);
          },
          ""};
}

void refuse_empty_values(CLI::App& command) {
  const CLI::Validator check(
      [](std::string& text) { return std::string(text.empty() ? empty_value : ""); }, "");
  for (CLI::Option* option : command.get_options()) {
    if (option->get_items_expected_max() > 0) option->transform(check);  // before other checks
  }
}

void refuse_empty_values(const std::vector<std::string>& arguments,
                         const std::vector<CLI::App*>& commands) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    const std::string name = argument.substr(0, argument.find('='));
    if (argument == name + "=" && is_option(name, commands)) {
      throw CLI::ValidationError(name, empty_value);
    }
  }
}

std::string describe_unknown(const CLI::App& command, const std::vector<std::string>& unknown) {
  const std::string& argument = unknown.front();
  const std::string name = argument.substr(0, argument.find('='));
  const std::string program =
      command.get_parent() == nullptr ? "photon-dmesg" : "photon-dmesg " + command.get_name();
  return fmt::format("{}: {} has no such option{}", name, program, advice(command, name));
}

std::optional<std::string> meant_command(const CLI::App& app, const std::string& file) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return nearest(file, names);
}

}  // namespace photon_dmesg
