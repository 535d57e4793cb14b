#include "kernel/printk/text_end.h"

#include <algorithm>
#include <array>

namespace photon_dmesg {
namespace {

constexpr std::size_t alignment = 8;
// What the kernel puts behind a text that was too long for the ring, over what was there.
constexpr std::string_view truncation_mark = "<truncated>";

// A level prefix is one or two of "\1" and a letter or digit.
bool is_prefix_byte(char byte, std::size_t index) {
  if (index % 2 == 0) return byte == '\1';
  return (byte >= '0' && byte <= '7') || byte == 'c' || byte == 'd';
}

// Whether `rest` begins with what is left when the last `moved` bytes of `text` (a whole text, or
// the piece that continued it) were moved over a prefix of `prefix` bytes.
bool shows_move(std::string_view text, std::string_view rest, std::size_t prefix,
                std::size_t moved) {
  for (std::size_t i = 0; i < prefix; ++i) {
    const std::size_t from = moved + i;  // in prefix and piece
    const bool same =
        from < prefix ? is_prefix_byte(rest[i], from) : rest[i] == text[text.size() - prefix + i];
    if (!same) return false;
  }
  return true;
}

bool is_printed(std::string_view text, std::string_view rest, bool newline) {
  constexpr std::array<std::size_t, 3> prefixes = {2, 0, 4};
  for (const std::size_t prefix : prefixes) {
    const std::size_t written = prefix + (newline ? 1 : 0) + 1;
    if (rest.size() < written || rest.size() - written >= alignment) continue;
    if (rest[written - 1] != '\0' || (newline && rest[prefix] != '\n')) continue;
    for (std::size_t moved = 0; moved <= std::min(prefix, text.size()); ++moved) {
      if (shows_move(text, rest, prefix, moved)) return true;
    }
  }
  return false;
}

}  // namespace

TextEnd judge_text_end(std::string_view block, std::size_t length, bool newline, bool first_lap) {
  if (length > block.size()) return TextEnd::Contradicted;
  const std::string_view text = block.substr(0, length);
  const std::string_view rest = block.substr(length);
  // printk ends its texts where the first NUL is. One that does not may be a block of zeros.
  if (text.ends_with('\0')) return TextEnd::Contradicted;
  if (is_printed(text, rest, newline) || text.ends_with(truncation_mark)) return TextEnd::Printed;
  const bool untouched =
      std::all_of(rest.begin(), rest.end(), [](char byte) { return byte == '\0'; });
  const bool copied = rest.size() < alignment && (!first_lap || untouched);
  return copied ? TextEnd::Copied : TextEnd::Contradicted;
}

}  // namespace photon_dmesg
