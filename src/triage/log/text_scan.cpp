#include "triage/log/text_scan.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace photon_dmesg {
namespace {

std::optional<std::uint64_t> take(std::string_view& text, int base) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  return value;
}

}  // namespace

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool begins_like(std::string_view text, std::string_view form) {
  if (text.size() < form.size()) return false;
  return std::equal(form.begin(), form.end(), text.begin(), [](char wanted, char found) {
    if (wanted == '9') return is_digit(found);
    if (wanted == '_') return is_digit(found) || found == ' ';
    return wanted == found;
  });
}

bool take_weekday(std::string_view& text) {
  constexpr std::array<std::string_view, 7> days = {"Mon ", "Tue ", "Wed ", "Thu ",
                                                    "Fri ", "Sat ", "Sun "};
  const auto* const found = std::find_if(
      days.begin(), days.end(), [text](std::string_view day) { return text.starts_with(day); });
  if (found == days.end()) return false;
  text.remove_prefix(found->size());
  return true;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) + 1 - begin);
}

std::optional<std::string_view> behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at + mark.size());
}

std::string_view until(std::string_view text, std::string_view ends) {
  return text.substr(0, text.find_first_of(ends));
}

std::string_view between(std::string_view text, std::string_view mark, std::string_view ends) {
  const std::optional<std::string_view> rest = behind(text, mark);
  return rest ? until(*rest, ends) : std::string_view();
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
  constexpr int decimal = 10;
  return take(text, decimal);
}

std::optional<std::uint64_t> take_hexadecimal(std::string_view& text) {
  constexpr int hexadecimal = 16;
  return take(text, hexadecimal);
}

std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view mark) {
  std::optional<std::string_view> rest = behind(text, mark);
  return rest ? take_number(*rest) : std::nullopt;
}

}  // namespace photon_dmesg
