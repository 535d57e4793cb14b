#include "triage/log/line_prefix.h"

#include <algorithm>
#include <array>

#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t nsec_per_second = 1'000'000'000;

// "50.123456", with or without a fraction of up to nine digits.
std::optional<std::uint64_t> parse_time(std::string_view text) {
  constexpr std::uint64_t most_seconds = 1ULL << 33;  // some 270 years
  const std::optional<std::uint64_t> seconds = take_number(text);
  if (!seconds || *seconds > most_seconds || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  std::uint64_t fraction = 0;
  std::uint64_t place = nsec_per_second;
  for (; !text.empty() && is_digit(text.front()) && place > 1; text.remove_prefix(1)) {
    place /= 10;
    fraction += static_cast<std::uint64_t>(text.front() - '0') * place;
  }
  if (!text.empty() || place == nsec_per_second) return std::nullopt;
  return *seconds * nsec_per_second + fraction;
}

// "T123", "C1".
std::optional<LogCaller> parse_caller(std::string_view text) {
  if (text.empty() || (text.front() != 'T' && text.front() != 'C')) return std::nullopt;
  const auto kind = text.front() == 'T' ? LogCaller::Kind::Task : LogCaller::Kind::Cpu;
  text.remove_prefix(1);
  const std::optional<std::uint64_t> id = take_number(text);
  if (!id || *id > UINT32_MAX || !text.empty()) return std::nullopt;
  return LogCaller{kind, static_cast<std::uint32_t>(*id)};
}

// "Sun Nov 29 01:50:12 2026", "Nov29 01:50".
bool is_time_of_day(std::string_view text) {
  constexpr std::size_t month = 3;
  return take_weekday(text) || (text.size() > month && begins_like(text.substr(month), "_9 99:99"));
}

// Takes "<    0.000012>" off the end, the time since the line before.
bool take_delta(std::string_view& text) {
  const std::size_t begin = text.find('<');
  if (begin == std::string_view::npos || !text.ends_with('>')) return false;
  if (!parse_time(trimmed(text.substr(begin + 1, text.size() - begin - 2)))) return false;
  text = trimmed(text.substr(0, begin));
  return true;
}

// "[...]": a time, a caller, both ("[   50.5] [T123]" is two of them), or a time of day.
bool take_brackets(std::string_view& text, LinePrefix& prefix) {
  constexpr std::size_t longest = 48;
  if (!text.starts_with('[')) return false;
  const std::size_t end = text.substr(0, longest).find(']');
  if (end == std::string_view::npos) return false;
  std::string_view inside = trimmed(text.substr(1, end - 1));
  const bool has_delta = take_delta(inside);
  if (const auto time = parse_time(inside)) {
    prefix.ts_nsec = time;
  } else if (const auto caller = parse_caller(inside)) {
    prefix.caller = caller;
  } else if (!is_time_of_day(inside) && !(has_delta && inside.empty()) &&
             !(inside.starts_with('+') && parse_time(inside.substr(1)))) {
    return false;
  }
  text.remove_prefix(end + 1);
  return true;
}

// "<14>": facility and level in one number.
bool take_priority(std::string_view& text, LinePrefix& prefix) {
  constexpr std::uint64_t most = 1023;
  if (!text.starts_with('<')) return false;
  std::string_view rest = text.substr(1);
  const std::optional<std::uint64_t> number = take_number(rest);
  if (!number || *number > most || !rest.starts_with('>')) return false;
  prefix.level = static_cast<std::uint8_t>(*number & 7);
  prefix.facility = static_cast<std::uint8_t>(*number >> 3);
  text = rest.substr(1);
  return true;
}

constexpr std::array<std::string_view, 8> levels = {"emerg", "alert",  "crit", "err",
                                                    "warn",  "notice", "info", "debug"};
constexpr std::array<std::string_view, 12> facilities = {"kern", "user",   "mail",     "daemon",
                                                         "auth", "syslog", "lpr",      "news",
                                                         "uucp", "cron",   "authpriv", "ftp"};

template <std::size_t Count>
std::optional<std::uint8_t> place_of(std::string_view name,
                                     const std::array<std::string_view, Count>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::uint8_t>(found - names.begin());
}

// "kern  :warn  : " as dmesg -x prints it.
bool take_names(std::string_view& text, LinePrefix& prefix) {
  const std::size_t first = text.find(':');
  constexpr std::size_t longest = 9;
  if (first > longest) return false;
  const std::size_t second = text.find(": ", first + 1);
  if (second == std::string_view::npos || second - first > longest) return false;
  const auto facility = facility_called(trimmed(text.substr(0, first)));
  const auto level = level_called(trimmed(text.substr(first + 1, second - first - 1)));
  if (!facility || !level) return false;
  prefix.facility = facility;
  prefix.level = level;
  text.remove_prefix(second + 2);
  return true;
}

bool take_dropped(std::string_view& text) {
  if (!text.starts_with("** ")) return false;
  constexpr std::string_view end = "printk messages dropped **";
  constexpr std::size_t longest = 32;
  const std::size_t at = text.find(end);
  if (at > longest) return false;
  text.remove_prefix(at + end.size());
  return true;
}

}  // namespace

std::optional<std::uint8_t> facility_called(std::string_view name) {
  return place_of(name, facilities);
}

std::optional<std::uint8_t> level_called(std::string_view name) {
  return place_of(name, levels);
}

LinePrefix take_line_prefix(std::string_view& text) {
  LinePrefix prefix;
  while (!text.empty()) {
    std::string_view rest = text;
    // A single blank parts two prefixes; more are the text's own.
    if (rest.starts_with(' ') && !rest.starts_with("  ")) rest.remove_prefix(1);
    if (!take_brackets(rest, prefix) && !take_priority(rest, prefix) && !take_dropped(rest) &&
        !take_names(rest, prefix)) {
      break;
    }
    text = rest;
  }
  if (prefix.ts_nsec && text.starts_with(' ')) text.remove_prefix(1);
  return prefix;
}

std::size_t find_inner_line(std::string_view text) {
  constexpr std::size_t shortest = 14;  // "[    0.000000]", as printk writes it
  constexpr std::size_t farthest = 256;
  constexpr std::size_t fraction = 7;  // ".123456"
  for (std::size_t at = text.find('[', 1); at < farthest; at = text.find('[', at + 1)) {
    const std::size_t end = text.find_first_not_of(" 0123456789.", at + 1);
    if (end == std::string_view::npos) return end;
    if (text[end] != ']' || end + 1 - at < shortest || text[end - fraction] != '.') continue;
    if (parse_time(trimmed(text.substr(at + 1, end - at - 1)))) return at;
  }
  return std::string_view::npos;
}

}  // namespace photon_dmesg
