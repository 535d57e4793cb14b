#include "batch/shard.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/errors.h"

namespace photon_dmesg {
namespace {

std::vector<Ticket> many(std::size_t count) {
  std::vector<Ticket> tickets;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "vm" + std::to_string(i);
    tickets.push_back({name, {name + ".vmss"}});
  }
  return tickets;
}

std::vector<std::string> names_of_shard(std::vector<Ticket> tickets, const Shard& shard) {
  take_shard(tickets, shard);
  std::vector<std::string> names;
  for (const Ticket& ticket : tickets) names.push_back(ticket.name);
  return names;
}

}  // namespace

TEST_CASE("shard: K of N, and nothing else") {
  CHECK(parse_shard("2/8").number == 2);
  CHECK(parse_shard("2/8").count == 8);
  for (const char* wrong : {"", "2", "0/8", "9/8", "2/", "/8", "a/b", "1/2/3", "-1/2", "1/2 "}) {
    CAPTURE(wrong);
    test::check_fails(Failure::Usage, "expected K/N", [&] { (void)parse_shard(wrong); });
  }
}

TEST_CASE("shard: all parts together have each ticket once, in parts of one size") {
  const std::vector<Ticket> tickets = many(203);
  std::vector<std::string> all;
  for (std::size_t k = 1; k <= 8; ++k) {
    const auto part = names_of_shard(tickets, {k, 8});
    CHECK((part.size() == 25 || part.size() == 26));
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::string> expected = names_of_shard(tickets, {1, 1});
  std::sort(expected.begin(), expected.end());
  CHECK(all == expected);
}

TEST_CASE("shard: which tickets it has does not depend on their order") {
  std::vector<Ticket> tickets = many(50);
  std::vector<std::string> part = names_of_shard(tickets, {2, 3});
  std::reverse(tickets.begin(), tickets.end());
  std::vector<std::string> other = names_of_shard(tickets, {2, 3});
  std::sort(part.begin(), part.end());
  std::sort(other.begin(), other.end());
  CHECK(part == other);
}

}  // namespace photon_dmesg
