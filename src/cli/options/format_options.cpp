#include "cli/options/format_options.h"

#include <algorithm>

#include "cli/options/option_checks.h"

namespace photon_dmesg {

void add_format_options(CLI::App& command, const ReportFormats& formats, std::string& format) {
  CLI::Option* const by_name = command.add_option("--format", format, formats.what)
                                   ->type_name("FORMAT")
                                   ->check(one_of(formats.names));
  CLI::Option* const json = command.add_flag_callback(
      "-J,--json", [&format] { format = "json"; }, "The same as --format json");
  json->excludes(by_name);
  if (std::ranges::find(formats.names, "ndjson") == formats.names.end()) return;
  command
      .add_flag_callback(
          "--ndjson", [&format] { format = "ndjson"; }, "The same as --format ndjson")
      ->excludes(by_name)
      ->excludes(json);
}

}  // namespace photon_dmesg
