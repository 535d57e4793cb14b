#include "batch/ticket_list.h"

#include <catch2/catch.hpp>

#include "support/errors.h"

namespace photon_dmesg {
namespace {

using Paths = std::vector<std::filesystem::path>;
using namespace std::string_view_literals;

}  // namespace

TEST_CASE("ticket list: a path a line") {
  const TicketList list = parse_ticket_list("a.vmss\nfolder with space\n\nb.vmss", "list");
  CHECK(list.paths == Paths{"a.vmss", "folder with space", "b.vmss"});
  CHECK(list.tickets.empty());
}

TEST_CASE("ticket list: lines may end as on Windows, names may hold line ends before zeros") {
  CHECK(parse_ticket_list("a.vmss\r\nb.vmss\r\n", "list").paths == Paths{"a.vmss", "b.vmss"});
  CHECK(parse_ticket_list("a\nb.vmss\0c.vmss\0"sv, "list").paths == Paths{"a\nb.vmss", "c.vmss"});
}

TEST_CASE("ticket list: with tabs, a name and all files of one ticket") {
  const TicketList list =
      parse_ticket_list("4711\tphoton.iso\tweb/vm.vmss\tweb/vm.vmem\n\tdb/vm.vmss\n", "list");
  REQUIRE(list.tickets.size() == 2);
  CHECK(list.tickets[0].name == "4711");
  CHECK(list.tickets[0].files == Paths{"photon.iso", "web/vm.vmss", "web/vm.vmem"});
  CHECK(list.tickets[1].name == "vm");
  CHECK(list.tickets[1].files == Paths{"db/vm.vmss"});
}

TEST_CASE("ticket list: a name without files is a mistake, whose line is named") {
  test::check_fails(Failure::Usage, "tickets.tsv, line 2",
                    [] { (void)parse_ticket_list("a.vmss\n4711\t\n", "tickets.tsv"); });
}

}  // namespace photon_dmesg
