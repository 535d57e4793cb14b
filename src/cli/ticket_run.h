#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "batch/ticket.h"
#include "batch/ticket_result.h"
#include "cli/options/options.h"
#include "session/symbol_pool.h"

namespace photon_dmesg {

// Does for one ticket of photon-dmesg batch what the program does for its files alone, its log as
// `options` say, and its triage. Symbols that do not come with it are taken from `shared`, unless
// that is null. Writes to `folder`, which exists: the log, and triage.txt and triage.json if it
// could be judged. What goes wrong is a part of what is returned, but for what can't be written:
// throws Error(Incomplete) then.
[[nodiscard]] TicketResult run_ticket(const Options& options, const Ticket& ticket,
                                      const std::shared_ptr<SymbolPool>& shared,
                                      const std::filesystem::path& folder);

// What its results depend on, as TicketResult::key: the content of its files and of those beside
// them that may be read, `symbols` for the content of the shared ones, options, and program.
[[nodiscard]] std::string key_of(const Options& options, const Ticket& ticket,
                                 const std::string& symbols);

}  // namespace photon_dmesg
