#include "cli/options/option_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "cli/io/output_target.h"
#include "report/formats/syslog_names.h"
#include "report/time_spec.h"

namespace photon_dmesg {
namespace {

std::string format_names() {
  std::vector<std::string_view> names;
  names.reserve(output_formats.size());
  for (const OutputFormat& format : output_formats) names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

struct NamedTimeFormat {
  std::string_view name;
  TimeFormat format;
};

// As --time-format takes them; all but the last are dmesg's.
constexpr std::array time_formats = {
    NamedTimeFormat{"ctime", TimeFormat::Ctime},
    NamedTimeFormat{"notime", TimeFormat::None},
    NamedTimeFormat{"delta", TimeFormat::Delta},
    NamedTimeFormat{"reltime", TimeFormat::Reltime},
    NamedTimeFormat{"iso", TimeFormat::Iso},
    NamedTimeFormat{"raw", TimeFormat::SinceBoot},
    NamedTimeFormat{"suspend", TimeFormat::BeforeSuspend},
};

std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  if (items.empty()) items.emplace_back();  // which is the name of nothing
  return items;
}

TimeFormat find_time_format(const std::string& name) {
  std::vector<std::string_view> names;
  for (const NamedTimeFormat& known : time_formats) {
    if (known.name == name) return known.format;
    names.push_back(known.name);
  }
  throw Error(Failure::Usage, fmt::format("--time-format {}: expected one of {}",
                                          name.empty() ? "\"\"" : name, fmt::join(names, ", ")));
}

enum class ColorMode { Auto, Always, Never };

ColorMode find_color_mode(const std::string& name) {
  if (name == "auto") return ColorMode::Auto;
  if (name == "always") return ColorMode::Always;
  if (name == "never") return ColorMode::Never;
  throw Error(Failure::Usage, fmt::format("--color {}: expected auto, always or never", name));
}

bool has_value(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// Whether what is printed on stdout is looked at on a terminal that knows colors.
bool shows_colors() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && !has_value("NO_COLOR") && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

}  // namespace

const OutputFormat* find_format(const std::string& name) {
  const auto* found = std::find_if(output_formats.begin(), output_formats.end(),
                                   [&](const OutputFormat& format) { return format.name == name; });
  if (found == output_formats.end()) {
    throw Error(Failure::Usage,
                fmt::format("--format {}: expected one of {}", name, format_names()));
  }
  return found;
}

void add_time_formats(const std::string& list, std::vector<TimeFormat>& formats) {
  for (const std::string& name : split_list(list)) formats.push_back(find_time_format(name));
}

void add_levels(const std::string& list, std::bitset<256>& levels) {
  for (const std::string& item : split_list(list)) {
    const bool and_worse = item.ends_with('+');
    const bool and_less = item.starts_with('+');
    const std::string name =
        item.substr(and_less ? 1 : 0, item.size() - (and_worse ? 1 : 0) - (and_less ? 1 : 0));
    const std::optional<std::uint8_t> level = level_number(name);
    if (!level || (and_worse && and_less)) {
      throw Error(Failure::Usage,
                  fmt::format("--level {}: expected levels from emerg to debug (or 0 to 7), found "
                              "\"{}\"",
                              list, item));
    }
    const std::size_t least_level = 7;
    for (std::size_t i = and_worse ? 0 : *level; i <= (and_less ? least_level : *level); ++i) {
      levels.set(i);
    }
  }
}

void add_facilities(const std::string& list, std::bitset<256>& facilities) {
  for (const std::string& item : split_list(list)) {
    const std::optional<std::uint8_t> facility = facility_number(item);
    if (!facility) {
      throw Error(Failure::Usage,
                  fmt::format("--facility {}: expected facilities from kern to local7 (or 0 to "
                              "23), found \"{}\"",
                              list, item));
    }
    facilities.set(*facility);
  }
}

// What `text` means, only the guest's clock will tell: "Mon 17:00" is a time on Mondays.
void check_time(const char* option, const std::string& text) {
  constexpr std::int64_t day = 86'400'000'000;  // microseconds
  constexpr int days = 7;
  bool is_time = false;
  for (int i = 0; i < days; ++i) is_time = is_time || parse_time(text, i * day).has_value();
  if (!is_time) {
    throw Error(Failure::Usage,
                fmt::format("{} {}: expected a time, such as \"2026-11-23 17:00\", \"17:00:30\", "
                            "\"-5min\" or \"1 hour ago\"",
                            option, text));
  }
}

bool writes_to_terminal(const std::optional<std::filesystem::path>& output) {
  const OutputTarget target = find_output_target(output.value_or(standard_output));
  if (target.descriptor) return ::isatty(*target.descriptor) == 1;
  // Of other devices it makes no difference.
  std::error_code ignored;
  return std::filesystem::is_character_file(target.path, ignored);
}

bool wants_color(const std::string& value, bool to_stdout) {
  const ColorMode mode = value.empty() ? ColorMode::Auto : find_color_mode(value);
  return mode == ColorMode::Always || (mode == ColorMode::Auto && to_stdout && shows_colors());
}

std::vector<std::string> separate_color(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    const std::size_t at = argument.find('L');
    if (argument.size() < 3 || argument[0] != '-' || argument[1] == '-' || at != 1) continue;
    std::string value = argument.substr(2);
    if (value.starts_with('=')) value.erase(0, 1);
    if (value == "auto" || value == "always" || value == "never") argument = "--color=" + value;
  }
  return arguments;
}

}  // namespace photon_dmesg
