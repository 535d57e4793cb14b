#include "cli/batch_tickets.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <ios>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>

#include "base/error.h"
#include "batch/find_tickets.h"
#include "batch/shard.h"
#include "batch/ticket_list.h"
#include "batch/ticket_names.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

std::string read_text(const fs::path& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(Failure::Usage, fmt::format("{}: can't be opened: {}", path.string(),
                                            std::generic_category().message(errno)));
  }
  try {
    return {std::istreambuf_iterator<char>(file), {}};
  } catch (const std::ios_base::failure& error) {
    throw Error(Failure::Usage, fmt::format("{}: expected a list of tickets, found what can't be "
                                            "read: {}",
                                            path.string(), error.code().message()));
  }
}

}  // namespace

BatchTickets find_batch_tickets(const Options& options, Diagnostics& diagnostics) {
  TicketFinder finder({options.batch.all_snapshots, *options.output}, diagnostics);
  if (options.batch.list) {
    TicketList list =
        parse_ticket_list(read_text(*options.batch.list), options.batch.list->string());
    for (Ticket& ticket : list.tickets) finder.add(std::move(ticket));
    for (const fs::path& path : list.paths) finder.add(path);
  }
  for (const fs::path& path : options.files) finder.add(path);
  BatchTickets found;
  found.tickets = finder.finish();
  found.symbols = options.batch.symbols;
  found.symbols.insert(found.symbols.end(), finder.symbols().begin(), finder.symbols().end());
  if (found.tickets.empty()) {
    throw Error(Failure::Usage,
                "expected checkpoints (.vmss or .vmsn), cores or folders with such, found none");
  }
  options.redact ? hide_names(found.tickets) : settle_names(found.tickets);
  if (!options.batch.shard.empty()) take_shard(found.tickets, parse_shard(options.batch.shard));
  return found;
}

}  // namespace photon_dmesg
