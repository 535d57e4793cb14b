#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "batch/ticket.h"

namespace photon_dmesg {

// Names for the results of tickets: letters, digits, '.', '_' and '-' only, never hidden, of
// at most 100 characters, and no two alike where upper and lower case are one, nor any as a
// summary.

// `text` as such a name; "ticket" if nothing is left of it.
[[nodiscard]] std::string safe_name(std::string_view text);

// Makes the names of `tickets` safe, and unique by a few characters that depend on their
// files: so the same ticket has the same name in every run over the same tickets.
void settle_names(std::vector<Ticket>& tickets);

// Names that tell nothing of the tickets' files: "ticket-" and a digest of these.
void hide_names(std::vector<Ticket>& tickets);

// A number that depends on the ticket's files alone, and is the same on every machine.
[[nodiscard]] std::uint64_t hash_of(const Ticket& ticket);

}  // namespace photon_dmesg
