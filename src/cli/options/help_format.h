#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace photon_dmesg {

// --help as this program wants it: names in columns, every use of the program first, and not which
// options go together, which is said when they don't.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat();

  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_positionals(const CLI::App* app) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace photon_dmesg
