#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace photon_dmesg {

// How lines of a log are taken apart: by looking for fixed texts, never by a pattern that could run
// long on what a guest wrote. Each function passes over the text once.

// A letter, digit or underscore of ASCII.
[[nodiscard]] bool is_word(char c);
[[nodiscard]] bool is_digit(char c);

// Whether `text` begins as `form` does, in which 9 stands for any digit and _ for one or a blank.
[[nodiscard]] bool begins_like(std::string_view text, std::string_view form);

// Takes the short name of a day and a blank off, "Sun "; false if there is none.
[[nodiscard]] bool take_weekday(std::string_view& text);

// Without blanks, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// What stands behind the first `mark`; nothing if there is none.
[[nodiscard]] std::optional<std::string_view> behind(std::string_view text, std::string_view mark);

// Up to the first of `ends`, or all.
[[nodiscard]] std::string_view until(std::string_view text, std::string_view ends);

// What stands between the first `mark` and the first of `ends` behind it; empty if there is none.
[[nodiscard]] std::string_view between(std::string_view text, std::string_view mark,
                                       std::string_view ends);

// Takes a number off the beginning; nothing if there is none or it is too large.
[[nodiscard]] std::optional<std::uint64_t> take_number(std::string_view& text);
[[nodiscard]] std::optional<std::uint64_t> take_hexadecimal(std::string_view& text);

// The number behind the first `mark`.
[[nodiscard]] std::optional<std::uint64_t> number_behind(std::string_view text,
                                                         std::string_view mark);

}  // namespace photon_dmesg
