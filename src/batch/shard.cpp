#include "batch/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "batch/ticket_names.h"

namespace photon_dmesg {

Shard parse_shard(const std::string& text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, shard.number);
  const bool has_slash = number.ec == std::errc() && number.ptr != end && *number.ptr == '/';
  const auto count = std::from_chars(has_slash ? number.ptr + 1 : end, end, shard.count);
  if (!has_slash || count.ec != std::errc() || count.ptr != end || shard.number < 1 ||
      shard.number > shard.count) {
    throw Error(Failure::Usage,
                fmt::format("--shard {}: expected K/N, the K-th of N parts, such as 1/4", text));
  }
  return shard;
}

void take_shard(std::vector<Ticket>& tickets, const Shard& shard) {
  if (shard.count == 1) return;
  std::vector<std::pair<std::uint64_t, std::string>> order;
  order.reserve(tickets.size());
  for (const Ticket& ticket : tickets) order.emplace_back(hash_of(ticket), ticket.name);
  std::sort(order.begin(), order.end());
  const auto is_elsewhere = [&](const Ticket& ticket) {
    const auto place =
        std::lower_bound(order.begin(), order.end(), std::pair(hash_of(ticket), ticket.name)) -
        order.begin();
    return static_cast<std::size_t>(place) % shard.count != shard.number - 1;
  };
  std::erase_if(tickets, is_elsewhere);
}

}  // namespace photon_dmesg
