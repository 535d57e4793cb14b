#pragma once

#include <bitset>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/formats/output_format.h"
#include "report/text_style.h"

// What the options' values mean. Each throws Error(Usage) that names the option for a value that
// makes no sense.
namespace photon_dmesg {

[[nodiscard]] const OutputFormat* find_format(const std::string& name);

// Adds what `list` names, with commas between: dmesg's names, "raw" and "suspend".
void add_time_formats(const std::string& list, std::vector<TimeFormat>& formats);

// Adds what `list` names: levels, or with a plus behind also all that are worse, with one before
// also all that are less severe.
void add_levels(const std::string& list, std::bitset<256>& levels);

void add_facilities(const std::string& list, std::bitset<256>& facilities);

// Whether `text` is a time; which one, only the guest's clock will tell.
void check_time(const char* option, const std::string& text);

// Whether `output`, or stdout if there is none, is a terminal.
[[nodiscard]] bool writes_to_terminal(const std::optional<std::filesystem::path>& output);

// Whether text is printed in colors, by --color's value (empty: not given) and, for "auto", by what
// stdout is and what the environment says (NO_COLOR, TERM).
[[nodiscard]] bool wants_color(const std::string& value, bool to_stdout);

// The arguments behind the program's name, with -L's value as CLI11 takes it: getopt takes one as
// in
// "-Lalways" and "-L=always", CLI11 only behind a long name.
[[nodiscard]] std::vector<std::string> separate_color(int argc, char** argv);

}  // namespace photon_dmesg
