#include "report/formats/syslog_names.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace photon_dmesg {
namespace {

constexpr std::array<std::string_view, 24> facility_names = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "res0",   "res1",   "res2",   "res3",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};

constexpr std::array<std::string_view, 8> level_names = {"emerg", "alert",  "crit", "err",
                                                         "warn",  "notice", "info", "debug"};

// As people spell them besides.
struct Spelling {
  std::string_view name;
  std::string_view meant;
};
constexpr std::array<Spelling, 2> level_spellings = {{{"error", "err"}, {"warning", "warn"}}};

bool is_same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

template <typename Names>
std::string name_or_number(const Names& names, std::uint8_t number) {
  return number < names.size() ? std::string(names[number]) : std::to_string(number);
}

template <typename Names>
std::optional<std::uint8_t> number_of(const Names& names, std::string_view name) {
  for (std::size_t number = 0; number < names.size(); ++number) {
    if (is_same(name, names[number]) || name == std::to_string(number))
      return static_cast<std::uint8_t>(number);
  }
  return std::nullopt;
}

}  // namespace

std::string facility_name(std::uint8_t facility) {
  return name_or_number(facility_names, facility);
}

bool has_facility_name(std::uint8_t facility) {
  return facility < facility_names.size();
}

std::string level_name(std::uint8_t level) {
  return name_or_number(level_names, level);
}

std::optional<std::uint8_t> facility_number(std::string_view name) {
  return number_of(facility_names, name);
}

std::optional<std::uint8_t> level_number(std::string_view name) {
  for (const Spelling& spelling : level_spellings) {
    if (is_same(name, spelling.name)) return number_of(level_names, spelling.meant);
  }
  return number_of(level_names, name);
}

unsigned priority(const LogRecord& record) {
  return record.facility * 8U + record.level;
}

}  // namespace photon_dmesg
