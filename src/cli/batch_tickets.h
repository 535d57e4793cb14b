#pragma once

#include <filesystem>
#include <vector>

#include "base/diagnostics.h"
#include "batch/ticket.h"
#include "cli/options/options.h"

namespace photon_dmesg {

// What photon-dmesg batch is to do.
struct BatchTickets {
  std::vector<Ticket> tickets;                 // their names are settled
  std::vector<std::filesystem::path> symbols;  // for all of them
};

// Finds the tickets that `options` name, of which there is at least one, but for those of other
// shards. Throws Error(Usage) if there is none, or for a list that makes no sense.
[[nodiscard]] BatchTickets find_batch_tickets(const Options& options, Diagnostics& diagnostics);

}  // namespace photon_dmesg
