#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "batch/ticket.h"

namespace photon_dmesg {

// What a list of tickets names: a line, or what stands before a zero if there are any, each. With
// tabs in it, it is one ticket: its name, and all of its files, symbols among them; an empty name
// is made of the first file's. Without, it is a path, and stands in `paths`.
struct TicketList {
  std::vector<Ticket> tickets;
  std::vector<std::filesystem::path> paths;
};

// Throws Error(Usage) that names the line, and `name` as the list's, for one that makes no sense.
[[nodiscard]] TicketList parse_ticket_list(std::string_view text, std::string_view name);

}  // namespace photon_dmesg
