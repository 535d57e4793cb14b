#pragma once

#include <string>
#include <string_view>
#include <vector>

// Text of others in CommonMark: always as code, so that none of it can be a link, an image, HTML or
// a heading.
namespace photon_dmesg {

// `text`, printable, between as many backticks as end nowhere inside it. Empty for empty text.
[[nodiscard]] std::string code_span(std::string_view text);

// The same for a cell of a table, with "|" as "\x7c": where renderers end a cell, and what "\|" is
// behind another backslash, they do not agree on.
[[nodiscard]] std::string code_cell(std::string_view text);

// Lines, printable, between fences that are longer than any run of backticks in them; ends in a
// newline.
[[nodiscard]] std::string code_block(const std::vector<std::string>& lines);

}  // namespace photon_dmesg
