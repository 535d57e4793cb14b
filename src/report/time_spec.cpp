#include "report/time_spec.h"

#include <strings.h>

#include <array>
#include <cctype>
#include <charconv>
#include <ctime>
#include <string>
#include <system_error>
#include <utility>

namespace photon_dmesg {
namespace {

constexpr std::int64_t usec_per_second = 1'000'000;

struct Unit {
  std::string_view name;
  std::int64_t usec;
};

constexpr std::int64_t minute = 60 * usec_per_second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t week = 7 * day;
constexpr std::int64_t year = 31'557'600 * usec_per_second;  // 365.25 days
constexpr std::int64_t month = 2'629'800 * usec_per_second;  // a twelfth of that

constexpr std::array units = {
    Unit{"", usec_per_second},
    Unit{"s", usec_per_second},
    Unit{"sec", usec_per_second},
    Unit{"second", usec_per_second},
    Unit{"seconds", usec_per_second},
    Unit{"m", minute},
    Unit{"min", minute},
    Unit{"minute", minute},
    Unit{"minutes", minute},
    Unit{"h", hour},
    Unit{"hr", hour},
    Unit{"hour", hour},
    Unit{"hours", hour},
    Unit{"d", day},
    Unit{"day", day},
    Unit{"days", day},
    Unit{"w", week},
    Unit{"week", week},
    Unit{"weeks", week},
    Unit{"month", month},
    Unit{"months", month},
    Unit{"y", year},
    Unit{"year", year},
    Unit{"years", year},
    Unit{"ms", 1000},
    Unit{"msec", 1000},
    Unit{"us", 1},
    Unit{"usec", 1},
};

constexpr std::array<std::string_view, 14> weekdays = {
    "sunday", "sun",      "monday", "mon",    "tuesday", "tue",      "wednesday",
    "wed",    "thursday", "thu",    "friday", "fri",     "saturday", "sat"};

constexpr std::array formats = {
    "%y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S", "%y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M",    "%Y-%m-%dT%H:%M",
    "%y-%m-%d",          "%Y-%m-%d",
    "%H:%M:%S",          "%H:%M",
    "%Y%m%d%H%M%S",      "%Y%m%d%H%M",
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::int64_t> unit_of(std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.usec;
  }
  return std::nullopt;
}

// How much of the beginning of `text` satisfies `is`.
template <typename Is>
std::string_view take_while(std::string_view& text, Is is) {
  std::size_t length = 0;
  while (length < text.size() && is(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

bool is_number(char c) {
  return (c >= '0' && c <= '9') || c == '.';
}

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

// Digits with one point at most, whatever the locale's is; GCC 10's std::from_chars has no double.
std::optional<double> parse_number(std::string_view text) {
  constexpr double base = 10;
  double number = 0;
  double divisor = 0;  // 0: no point yet
  bool has_digits = false;
  for (const char c : text) {
    if (c == '.' && divisor == 0) {
      divisor = 1;
      continue;
    }
    if (c == '.') return std::nullopt;
    number = number * base + (c - '0');
    divisor *= base;
    has_digits = true;
  }
  if (!has_digits) return std::nullopt;
  return divisor == 0 ? number : number / divisor;
}

// "2h 30min": numbers with units, added up.
std::optional<std::int64_t> parse_span(std::string_view text) {
  constexpr double largest = 1e18;  // microseconds; some 30,000 years
  double total = 0;
  text = trim(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::string_view digits = take_while(text, is_number);
    const std::optional<double> number = parse_number(digits);
    if (!number) return std::nullopt;
    text = trim(text);
    const std::optional<std::int64_t> unit = unit_of(take_while(text, is_letter));
    if (!unit) return std::nullopt;
    total += *number * static_cast<double>(*unit);
    if (!(total <= largest)) return std::nullopt;  // nor what is not a number
    text = trim(text);
  }
  return static_cast<std::int64_t>(total);
}

std::tm local_time(std::int64_t usec) {
  const std::time_t time = usec / usec_per_second;
  std::tm local{};
  localtime_r(&time, &local);
  local.tm_isdst = -1;
  return local;
}

// What a clock shows that is `zone` seconds ahead of UTC.
std::tm time_in_zone(std::int64_t usec, std::int64_t zone) {
  const std::time_t time = usec / usec_per_second + zone;
  std::tm there{};
  gmtime_r(&time, &there);
  return there;
}

// `time` is by a clock `zone` seconds ahead of UTC, or else local. Nothing if it has a day of the
// week and is not on that one.
std::optional<std::int64_t> to_usec(std::tm time, int weekday,
                                    std::optional<std::int64_t> zone = std::nullopt) {
  const std::time_t seconds = zone ? ::timegm(&time) : std::mktime(&time);
  if (seconds == -1 || (weekday >= 0 && time.tm_wday != weekday)) return std::nullopt;
  return (std::int64_t{seconds} - zone.value_or(0)) * usec_per_second;
}

std::tm midnight(std::tm time, int days_on) {
  time.tm_hour = time.tm_min = time.tm_sec = 0;
  time.tm_mday += days_on;
  return time;
}

// Takes a day of the week and the blank behind it off; -1 if there is none.
int take_weekday(std::string_view& text) {
  for (std::size_t i = 0; i < weekdays.size(); ++i) {
    const std::string_view name = weekdays.at(i);
    if (text.size() > name.size() && text[name.size()] == ' ' &&
        ::strncasecmp(text.data(), name.data(), name.size()) == 0) {
      text = trim(text.substr(name.size()));
      return static_cast<int>(i / 2);
    }
  }
  return -1;
}

// Seconds ahead of UTC, of "02", "0200" or "02:00" behind a sign.
std::optional<std::int64_t> parse_offset(std::string_view digits) {
  constexpr std::size_t hours_alone = 2;
  constexpr std::size_t with_minutes = 4;
  constexpr int minutes_per_hour = 60;
  constexpr int seconds_per_minute = 60;
  std::string number(digits);
  if (number.size() == with_minutes + 1 && number[2] == ':') number.erase(2, 1);
  if (number.size() == hours_alone) number += "00";
  int value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.size() != with_minutes || error != std::errc() ||
      end != number.data() + number.size()) {
    return std::nullopt;
  }
  constexpr int hundred = 100;
  const int minutes = value % hundred;
  const int hours = value / hundred;
  constexpr int most_hours = 14;  // as of the Line Islands
  if (minutes >= minutes_per_hour || hours > most_hours) return std::nullopt;
  return (hours * minutes_per_hour + minutes) * seconds_per_minute;
}

// Takes "Z", "UTC" or an offset such as "+02:00" off the end of a date or time of day: seconds
// ahead of UTC. Nothing, and nothing is taken, if there is none. A minus is one only behind a time
// of day: dates have others.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  constexpr std::string_view utc = "UTC";
  if (text.ends_with(utc)) {
    text = trim(text.substr(0, text.size() - utc.size()));
    return 0;
  }
  if (text.ends_with('Z') || text.ends_with('z')) {
    text = trim(text.substr(0, text.size() - 1));
    return 0;
  }
  const std::size_t sign = text.find_last_of("+-");
  if (sign == std::string_view::npos) return std::nullopt;
  if (text[sign] == '-' && text.find(':') > sign) return std::nullopt;
  const std::optional<std::int64_t> offset = parse_offset(text.substr(sign + 1));
  if (!offset) return std::nullopt;
  const std::int64_t ahead = text[sign] == '-' ? -*offset : *offset;
  text = trim(text.substr(0, sign));
  return ahead;
}

// Fractions of a second behind "17:00:30", in microseconds; nothing if `text` is no fraction.
std::optional<std::int64_t> parse_fraction(std::string_view text) {
  if (text.empty()) return 0;
  if ((text.front() != '.' && text.front() != ',') || text.size() < 2) return std::nullopt;
  std::int64_t usec = 0;
  std::int64_t place = usec_per_second;
  for (const char digit : text.substr(1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    place /= 10;
    usec += (digit - '0') * place;
  }
  return usec;
}

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now_usec) {
  const std::optional<std::int64_t> zone = take_zone(text);
  const std::tm now = zone ? time_in_zone(now_usec, *zone) : local_time(now_usec);
  const int weekday = take_weekday(text);
  const std::string copy(text);
  for (const std::string_view format : formats) {
    std::tm time = now;
    const char* const end = ::strptime(copy.c_str(), format.data(), &time);
    if (end == nullptr) continue;
    const bool has_seconds = format.find("%S") != std::string_view::npos;
    if (*end != '\0' && !has_seconds) continue;
    const std::optional<std::int64_t> fraction = parse_fraction(end);
    if (!fraction) continue;
    if (!has_seconds) time.tm_sec = 0;
    if (format.find("%H") == std::string_view::npos) time = midnight(time, 0);
    const std::optional<std::int64_t> usec = to_usec(time, weekday, zone);
    return usec ? std::optional(*usec + *fraction) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now_usec) {
  constexpr std::string_view ago = " ago";
  text = trim(text);
  const std::tm now = local_time(now_usec);
  const std::int64_t this_second = now_usec - now_usec % usec_per_second;
  const auto from_now = [&](std::string_view span, int sign) -> std::optional<std::int64_t> {
    const std::optional<std::int64_t> usec = parse_span(span);
    return usec ? std::optional(this_second + sign * *usec) : std::nullopt;
  };
  if (text == "now") return this_second;
  if (text == "today") return to_usec(midnight(now, 0), -1);
  if (text == "yesterday") return to_usec(midnight(now, -1), -1);
  if (text == "tomorrow") return to_usec(midnight(now, 1), -1);
  if (text.starts_with('@')) return parse_span(text.substr(1));
  if (text.starts_with('+')) return from_now(text.substr(1), 1);
  if (text.starts_with('-')) return from_now(text.substr(1), -1);
  if (text.ends_with(ago)) return from_now(text.substr(0, text.size() - ago.size()), -1);
  return parse_date(text, now_usec);
}

}  // namespace photon_dmesg
