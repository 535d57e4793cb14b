#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace photon_dmesg {

// What a command other than the log prints by --format: the names it takes, and what it says of
// them in --help. "text" is the default of each.
struct ReportFormats {
  std::vector<std::string> names;
  const char* what;
};

inline const ReportFormats info_formats = {{"text", "json"}, "text (the default) or json"};
inline const ReportFormats task_formats = {{"text", "json", "ndjson"},
                                           "text (the default), json, or ndjson (a line of\n"
                                           "JSON for each of them)"};
inline const ReportFormats triage_formats = {
    {"text", "json", "ndjson", "markdown", "html"},
    "text (the default), json, ndjson (a line of JSON\nfor each finding), markdown or html"};

// Adds --format, and --json and --ndjson as spellings of it, to a command. `format` gets the name
// that was asked for; it and `formats` must outlive the command.
void add_format_options(CLI::App& command, const ReportFormats& formats, std::string& format);

}  // namespace photon_dmesg
