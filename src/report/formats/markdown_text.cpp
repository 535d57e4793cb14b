#include "report/formats/markdown_text.h"

#include <algorithm>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

std::size_t longest_run_of_backticks(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char byte : text) {
    run = byte == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool needs_padding(std::string_view text) {
  return text.front() == '`' || text.back() == '`' || text.front() == ' ' || text.back() == ' ';
}

}  // namespace

std::string code_span(std::string_view text) {
  if (text.empty()) return {};
  const std::string content = printable(text);
  const std::string fence(longest_run_of_backticks(content) + 1, '`');
  const char* padding = needs_padding(content) ? " " : "";
  return fence + padding + content + padding + fence;
}

std::string code_cell(std::string_view text) {
  std::string cell;
  for (const char byte : text) cell += byte == '|' ? hex_escape(byte) : std::string(1, byte);
  return code_span(cell);
}

std::string code_block(const std::vector<std::string>& lines) {
  constexpr std::size_t least = 3;
  std::string content;
  for (const std::string& line : lines) content += printable(line) + '\n';
  const std::string fence(std::max(least, longest_run_of_backticks(content) + 1), '`');
  return fence + "text\n" + content + fence + '\n';
}

}  // namespace photon_dmesg
