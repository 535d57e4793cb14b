#include "batch/ticket_names.h"

#include <catch2/catch.hpp>

namespace photon_dmesg {
namespace {

std::vector<std::string> settled(std::vector<Ticket> tickets) {
  settle_names(tickets);
  std::vector<std::string> names;
  for (const Ticket& ticket : tickets) names.push_back(ticket.name);
  return names;
}

}  // namespace

TEST_CASE("ticket names: what no file system and no shell can take amiss") {
  CHECK(safe_name("web01") == "web01");
  CHECK(safe_name("web 01/../x") == "web_01_.._x");
  CHECK(safe_name("..hidden") == "hidden");
  CHECK(safe_name("-rf") == "rf");
  CHECK(safe_name("\x1b[31mred\n") == "__31mred_");
  CHECK(safe_name("Ω") == "__");
  CHECK(safe_name("") == "ticket");
  CHECK(safe_name("...") == "ticket");
  CHECK(safe_name(std::string(500, 'x')).size() == 100);
}

TEST_CASE("ticket names: those that are alike are told apart by their files") {
  const auto names = settled({{"vm", {"a/vm.vmss"}}, {"VM", {"b/vm.vmss"}}, {"other", {"c"}}});
  CHECK(names[0] != names[1]);
  CHECK(names[0].starts_with("vm-"));
  CHECK(names[1].starts_with("VM-"));
  CHECK(names[2] == "other");
  SECTION("and have the same names in another order") {
    const auto again = settled({{"other", {"c"}}, {"VM", {"b/vm.vmss"}}, {"vm", {"a/vm.vmss"}}});
    CHECK(again == std::vector<std::string>{names[2], names[1], names[0]});
  }
  SECTION("the same files twice are two tickets") {
    const auto twice = settled({{"vm", {"a"}}, {"vm", {"a"}}});
    CHECK(twice[0] != twice[1]);
  }
}

TEST_CASE("ticket names: none is in a summary's way") {
  for (const char* name : {"summary.txt", "Summary.CSV", "summary.ndjson", "summary-1-of-2.txt"}) {
    const std::string settled_name = settled({{name, {"vm.vmss"}}}).front();
    CHECK(settled_name.starts_with(std::string(name) + "-"));
  }
  CHECK(settled({{"summary", {"vm.vmss"}}}).front() == "summary");
}

TEST_CASE("ticket names: hidden ones tell nothing, and are unique") {
  std::vector<Ticket> tickets = {{"web01", {"web01.vmss"}}, {"web02", {"web02.vmss"}}};
  hide_names(tickets);
  CHECK(tickets[0].name != tickets[1].name);
  for (const Ticket& ticket : tickets) {
    CHECK(ticket.name.starts_with("ticket-"));
    CHECK(ticket.name.find("web") == std::string::npos);
  }
}

}  // namespace photon_dmesg
