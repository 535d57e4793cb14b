#include "triage/log/trace_frame.h"

#include <fmt/format.h>

#include <algorithm>

#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

// No symbol of a kernel's is longer (KSYM_NAME_LEN).
constexpr std::size_t longest_symbol = 512;

// Takes "[<ffffffff81000000>]" or "[c00000003ae5b800]" off.
void take_addresses(std::string_view& line) {
  while (line.starts_with('[')) {
    const std::size_t end = line.find(']');
    if (end == std::string_view::npos) return;
    std::string_view inside = line.substr(1, end - 1);
    if (inside.starts_with('<') && inside.ends_with('>'))
      inside = inside.substr(1, inside.size() - 2);
    if (inside.empty() || inside.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
      return;
    }
    line = trimmed(line.substr(end + 1));
  }
}

bool is_symbol(std::string_view text) {
  if (text.empty() || text.size() > longest_symbol || is_digit(text.front())) return false;
  // Rust's have blanks and brackets in them: "<a::B>::c", "<a as b>::c".
  if (text.front() == '<') return text.find("::") != std::string_view::npos;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_word(c) || c == '.' || c == '$' || c == ':' || c == '<' || c == '>';
  });
}

}  // namespace

std::optional<TraceFrame> parse_trace_frame(std::string_view line) {
  TraceFrame frame;
  line = trimmed(line);
  // ARM names callee and caller in one line: the caller is the next frame.
  if (const std::size_t caller = line.find(" from ["); caller != std::string_view::npos) {
    line.remove_prefix(caller + std::string_view(" from ").size());
  }
  take_addresses(line);
  if (line.starts_with("? ")) {
    frame.reliable = false;
    line = trimmed(line.substr(2));
  }
  if (line.starts_with('(')) line.remove_prefix(1);
  const std::size_t plus = line.find("+0x");
  if (plus == std::string_view::npos || !is_symbol(line.substr(0, plus))) return std::nullopt;
  frame.symbol = line.substr(0, plus);
  line.remove_prefix(plus + 3);
  const std::optional<std::uint64_t> offset = take_hexadecimal(line);
  if (!offset) return std::nullopt;
  frame.offset = *offset;
  if (line.starts_with("/0x")) {
    line.remove_prefix(3);
    frame.size = take_hexadecimal(line).value_or(0);
  }
  if (line.starts_with(" [")) {
    const std::string_view module = line.substr(2, line.find_first_of("] ", 2) - 2);
    if (module != "inline" && module.size() <= longest_symbol) frame.module = module;
  }
  return frame;
}

std::string describe(const TraceFrame& frame) {
  std::string text = fmt::format("{}+{:#x}", frame.symbol, frame.offset);
  if (frame.size != 0) text += fmt::format("/{:#x}", frame.size);
  if (!frame.module.empty()) text += fmt::format(" [{}]", frame.module);
  return text;
}

std::optional<std::string> take_stack_mark(std::string_view& line) {
  constexpr std::size_t longest_mark = 24;
  const std::string_view text = trimmed(line);
  if (!text.starts_with('<')) return std::nullopt;
  const std::size_t end = text.find('>');
  if (end > longest_mark) return std::nullopt;
  std::string_view mark = text.substr(1, end - 1);
  const bool is_left = mark.starts_with('/');
  if (is_left) mark.remove_prefix(1);
  const bool is_mark = !mark.empty() && std::all_of(mark.begin(), mark.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '#' || c == ' ' || (c >= '0' && c <= '9');
  });
  if (!is_mark) return std::nullopt;
  line = trimmed(text.substr(end + 1));
  // "<EOI>" and "<<EOE>>" end what an older kernel began with "<IRQ>".
  const bool is_task = is_left || mark == "TASK" || mark == "EOI" || mark == "EOE";
  return is_task ? std::string() : std::string(mark);
}

}  // namespace photon_dmesg
