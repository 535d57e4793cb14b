#include "batch/ticket_list.h"

#include <fmt/format.h>

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
