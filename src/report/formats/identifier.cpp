#include "report/formats/identifier.h"

#include <algorithm>

namespace photon_dmesg {

Identifier parse_identifier(const LogRecord& record) {
  constexpr std::string_view blanks = " \t\n\r";
  const std::string_view text = record.text;
  if (record.facility == 0) return {"kernel", "", text};
  const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
  const std::size_t end = std::min(text.find_first_of(blanks, begin), text.size());
  std::string_view word = text.substr(begin, end - begin);
  if (!word.ends_with(':')) return {"", "", text};
  word.remove_suffix(1);
  std::string_view pid;
  if (const std::size_t bracket = word.rfind('[');
      word.ends_with(']') && bracket != std::string_view::npos) {
    pid = word.substr(bracket + 1, word.size() - bracket - 2);
    word = word.substr(0, bracket);
  }
  return {word, pid, text.substr(std::min(end + 1, text.size()))};
}

}  // namespace photon_dmesg
