#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "batch/ticket.h"

namespace photon_dmesg {

// The K-th of N parts of a run that several machines share.
struct Shard {
  std::size_t number = 1;  // 1 to count
  std::size_t count = 1;
};

// "3/8". Throws Error(Usage) if it is none.
[[nodiscard]] Shard parse_shard(const std::string& text);

// Leaves of `tickets` those of the shard. Which ones depends on the tickets alone, not on their
// order nor on the machine; all parts together have each ticket once, and are of one size.
void take_shard(std::vector<Ticket>& tickets, const Shard& shard);

}  // namespace photon_dmesg
