#include "batch/ticket_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/error.h"

namespace photon_dmesg {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Whether `text` is in UTF-16: it says so, or so many of its bytes are zeros as of no list with
// zeros between its paths.
bool is_utf16(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return true;
  constexpr std::size_t shortest = 4;  // two characters
  const auto zeros = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\0'));
  return text.size() >= shortest && zeros * 5 >= text.size() * 2;
}

Ticket parse_ticket(std::string_view line, std::string_view where) {
  const std::vector<std::string_view> columns = split(line, '\t');
  Ticket ticket;
  for (std::size_t i = 1; i < columns.size(); ++i) {
    if (!columns[i].empty()) ticket.files.emplace_back(columns[i]);
  }
  if (ticket.files.empty()) {
    throw Error(
        Failure::Usage,
        fmt::format("{}: expected a name and files with tabs between them, found no file", where));
  }
  ticket.name = columns[0].empty() ? ticket.files.front().stem().string() : columns[0];
  return ticket;
}

}  // namespace

TicketList parse_ticket_list(std::string_view text, std::string_view name) {
  if (is_utf16(text)) {
    throw Error(Failure::Usage,
                fmt::format("{}: expected a list of tickets in UTF-8, found one in UTF-16: save it "
                            "as UTF-8",
                            name));
  }
  constexpr std::string_view mark = "\xef\xbb\xbf";  // of UTF-8, as Windows writes it
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  const char separator = text.find('\0') == std::string_view::npos ? '\n' : '\0';
  TicketList list;
  std::size_t number = 0;
  for (std::string_view line : split(text, separator)) {
    ++number;
    if (separator == '\n' && line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.find('\t') == std::string_view::npos) {
      list.paths.emplace_back(line);
    } else {
      list.tickets.push_back(parse_ticket(line, fmt::format("{}, line {}", name, number)));
    }
  }
  return list;
}

}  // namespace photon_dmesg
