#include "kernel/symbols/banner.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

namespace photon_dmesg {
namespace {

constexpr std::array<std::string_view, 7> weekdays = {"Mon", "Tue", "Wed", "Thu",
                                                      "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// What stands behind the last space. `text` is left with what is before it, without the spaces at
// its end.
std::string_view take_last_word(std::string_view& text) {
  const std::size_t begin = text.rfind(' ') + 1;  // 0 if there is none
  const std::string_view word = text.substr(begin);
  text = text.substr(0, begin);
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  return word;
}

std::optional<int> parse_number(std::string_view digits, std::size_t longest, int least, int most) {
  const bool all_digits = std::all_of(digits.begin(), digits.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!all_digits || digits.empty() || digits.size() > longest) return std::nullopt;
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  if (value < least || value > most) return std::nullopt;
  return value;
}

// Sets the hour, minute and second of "21:51:19".
bool parse_clock(std::string_view text, std::tm& time) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == last) return false;
  const auto hour = parse_number(text.substr(0, first), 2, 0, 23);
  const auto minute = parse_number(text.substr(first + 1, last - first - 1), 2, 0, 59);
  const auto second = parse_number(text.substr(last + 1), 2, 0, 60);
  if (!hour || !minute || !second) return false;
  time.tm_hour = *hour;
  time.tm_min = *minute;
  time.tm_sec = *second;
  return true;
}

}  // namespace

std::size_t find_banner_prefix(std::string_view text, std::size_t from) {
  // Its rarest letter in code and text: L, with which it begins, is in every other instruction.
  constexpr char rare = 'x';
  constexpr std::size_t place = banner_prefix.find(rare);
  for (std::size_t at = text.find(rare, from + place); at != std::string_view::npos;
       at = text.find(rare, at + 1)) {
    // Nearly all are told by the next letter alone.
    if (at + 1 == text.size() || text[at + 1] != banner_prefix[place + 1]) continue;
    if (text.substr(at - place).starts_with(banner_prefix)) return at - place;
  }
  return std::string_view::npos;
}

std::optional<KernelBanner> parse_banner(std::string_view bytes) {
  if (!bytes.starts_with(banner_prefix)) {
    return std::nullopt;
  }
  bytes = bytes.substr(0, banner_bytes_limit);
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos || end + 1 >= bytes.size() || bytes[end + 1] != '\0') {
    return std::nullopt;
  }
  const std::string_view text = bytes.substr(0, end);
  const std::string_view rest = text.substr(banner_prefix.size());
  const std::string_view release = rest.substr(0, rest.find(' '));
  const bool printable =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isprint(c) != 0; });
  if (!printable || release.empty() || std::isdigit(static_cast<unsigned char>(release[0])) == 0 ||
      !rest.substr(release.size()).starts_with(" (")) {
    return std::nullopt;
  }
  return KernelBanner{std::string(text), std::string(release)};
}

std::optional<std::int64_t> build_time(const KernelBanner& banner) {
  // From its end on: "Thu Jun  9 21:51:19 UTC 2016".
  std::string_view rest = banner.text;
  const std::string_view year_word = take_last_word(rest);
  const auto year = parse_number(year_word, 4, 0, 9999);
  if (!year || year_word.size() != 4 || take_last_word(rest) != "UTC") return std::nullopt;
  std::tm time{};
  if (!parse_clock(take_last_word(rest), time)) return std::nullopt;
  const auto day = parse_number(take_last_word(rest), 2, 1, 31);
  const auto* const month = std::find(months.begin(), months.end(), take_last_word(rest));
  const std::string_view weekday = take_last_word(rest);
  if (!day || month == months.end() ||
      std::none_of(weekdays.begin(), weekdays.end(),
                   [&](std::string_view name) { return weekday.ends_with(name); })) {
    return std::nullopt;
  }
  time.tm_year = *year - 1900;
  time.tm_mon = static_cast<int>(month - months.begin());
  time.tm_mday = *day;
  return static_cast<std::int64_t>(::timegm(&time));
}

bool has_build_number(const KernelBanner& banner) {
  constexpr std::string_view mark = ") #";  // behind the parenthesis around the compiler
  const std::string_view text = banner.text;
  for (std::size_t at = text.find(mark); at != std::string_view::npos;
       at = text.find(mark, at + 1)) {
    const std::string_view rest = text.substr(at + mark.size());
    if (!rest.empty() && std::isdigit(static_cast<unsigned char>(rest.front())) != 0) return true;
  }
  return false;
}

std::optional<KernelBanner> banner_of(const KernelSymbols& symbols) {
  const std::optional<std::string> bytes = symbols.banner_bytes();
  return bytes ? parse_banner(*bytes) : std::nullopt;
}

}  // namespace photon_dmesg
