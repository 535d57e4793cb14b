#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace photon_dmesg {

// --help as this program wants it: at most 80 columns, names in columns, every use of the program
// first, of each command a line, and not which options go together, which is said when they don't.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat();

  std::string make_description(const CLI::App* app) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_positionals(const CLI::App* app) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace photon_dmesg
