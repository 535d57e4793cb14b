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

TEST_CASE("ticket list: the mark of UTF-8 is no part of the first path") {
  CHECK(parse_ticket_list("\xef\xbb\xbfvm.vmss\nb.vmss\n", "list").paths ==
        Paths{"vm.vmss", "b.vmss"});
  CHECK(parse_ticket_list("\xef\xbb\xbf", "list").paths.empty());
}

TEST_CASE("ticket list: UTF-16 is refused, with its mark and without") {
  for (const std::string_view text :
       {"\xff\xfew\0/\0v\0\r\0\n\0"sv, "\xfe\xff\0w\0/\0v\0\r\0\n"sv, "w\0/\0v\0m\0\r\0\n\0"sv,
        "\0w\0/\0v\0m\0\n"sv, "\x42\1r\0\xf3\0d\0/\0v\0m\0\n\0"sv /* not all in ASCII */}) {
    test::check_fails(Failure::Usage,
                      "list.txt: expected a list of tickets in UTF-8, found one in UTF-16",
                      [&] { (void)parse_ticket_list(text, "list.txt"); });
  }
  CHECK(parse_ticket_list("a\0"sv, "list").paths == Paths{"a"});
  CHECK(parse_ticket_list("./a\0./b\0"sv, "list").paths == Paths{"./a", "./b"});
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
