#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

// How texts are looked at, byte by byte, whatever the locale.
namespace photon_dmesg {

[[nodiscard]] inline bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

[[nodiscard]] inline bool is_alnum(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z');
}

[[nodiscard]] inline bool is_hex(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
         (byte >= 'A' && byte <= 'F');
}

// Part of a name, such as one of a host or an option.
[[nodiscard]] inline bool is_name_byte(char byte) {
  return is_alnum(byte) || byte == '_' || byte == '-';
}

[[nodiscard]] inline bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\n';
}

[[nodiscard]] inline char at_or_zero(std::string_view text, std::size_t index) {
  return index < text.size() ? text[index] : '\0';
}

// How many bytes from `at` on are of that kind; at most `most`.
template <typename Is>
[[nodiscard]] std::size_t run_of(std::string_view text, std::size_t at, Is is,
                                 std::size_t most = std::string_view::npos) {
  std::size_t length = 0;
  while (length < most && at + length < text.size() && is(text[at + length])) ++length;
  return length;
}

[[nodiscard]] inline char lower_case(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string lower;
  for (const char byte : text) lower += lower_case(byte);
  return lower;
}

[[nodiscard]] inline bool equal_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right,
                            [](char a, char b) { return lower_case(a) == lower_case(b); });
}

[[nodiscard]] inline bool starts_with_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_case(text.substr(0, prefix.size()), prefix);
}

[[nodiscard]] inline bool ends_with_case(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         equal_case(text.substr(text.size() - suffix.size()), suffix);
}

}  // namespace photon_dmesg
