#include "kernel/memory/linked_list.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::size_t plenty = 1000;

using Numbers = std::vector<std::ptrdiff_t>;

// A head and `count` nodes, 64 bytes apart.
struct List {
  TaskGuest guest;
  GuestVirtual head = guest.allocate(16);
  std::vector<GuestVirtual> nodes;

  explicit List(std::size_t count) {
    guest.begin_list(head);
    for (std::size_t i = 0; i < count; ++i) {
      nodes.push_back(guest.allocate(64));
      guest.append(head, nodes.back());
    }
  }

  void set_next(std::size_t node, GuestVirtual to) { guest.write(nodes[node], to); }
  void set_prev(std::size_t node, GuestVirtual to) { guest.write(nodes[node] + 8, to); }
  ListNodes walk(std::size_t most = plenty) { return walk_list(guest.memory(), head, most); }
  // Which of the nodes these are; what is none of them is the number behind the last.
  [[nodiscard]] Numbers numbers(const ListNodes& found) const {
    Numbers numbers;
    for (const GuestVirtual node : found.nodes) {
      numbers.push_back(std::find(nodes.begin(), nodes.end(), node) - nodes.begin());
    }
    return numbers;
  }
};

}  // namespace

TEST_CASE("list: all nodes in order, without the head") {
  List list(5);
  const ListNodes found = list.walk();
  CHECK(list.numbers(found) == Numbers{0, 1, 2, 3, 4});
  CHECK_FALSE(found.broken);
}

TEST_CASE("list: an empty one is whole") {
  List list(0);
  const ListNodes found = list.walk();
  CHECK(found.nodes.empty());
  CHECK_FALSE(found.broken);
}

TEST_CASE("list: where a pointer leads nowhere the rest comes from the other end, in order") {
  List list(5);
  list.set_next(1, TaskGuest::nowhere);
  const ListNodes found = list.walk();
  CHECK(list.numbers(found) == Numbers{0, 1, 2, 3, 4});
  REQUIRE(found.broken);
  CHECK_THAT(*found.broken, Catch::Contains(hex(list.nodes[1])) &&
                                Catch::Contains(hex(TaskGuest::nowhere)) &&
                                Catch::Contains("does not lead back"));
}

TEST_CASE("list: a node that is overwritten is left out, its neighbours are not") {
  List list(5);
  list.set_next(2, GuestVirtual{0x4141414141414141});
  list.set_prev(2, GuestVirtual{0x4141414141414141});
  const ListNodes found = list.walk();
  CHECK(list.numbers(found) == Numbers{0, 1, 3, 4});
  CHECK(found.broken);
}

TEST_CASE("list: one bit of a pointer makes no node of what is none") {
  List list(3);
  SECTION("next") {
    list.set_next(0, list.nodes[1] + 1);
  }
  SECTION("prev") {
    list.set_prev(1, list.nodes[0] + 0x40000);
  }
  const ListNodes found = list.walk();
  CHECK(found.broken);
  CHECK(list.numbers(found) == Numbers{0, 1, 2});  // each is found from one side
}

TEST_CASE("list: a loop that leaves the head out comes to an end") {
  List list(5);
  list.set_next(4, list.nodes[2]);
  list.set_prev(2, list.nodes[4]);
  const ListNodes found = list.walk();
  CHECK(list.numbers(found) == Numbers{0, 1});
  CHECK(found.broken);  // nothing outside the loop leads into it any more
}

TEST_CASE("list: a node that leads to itself comes to an end") {
  List list(2);
  list.set_next(0, list.nodes[0]);
  list.set_prev(0, list.nodes[0]);
  const ListNodes found = list.walk();
  CHECK(list.numbers(found) == Numbers{1});
  CHECK(found.broken);
}

TEST_CASE("list: a head that can't be read is a list that is broken") {
  TaskGuest guest;
  const ListNodes found = walk_list(guest.memory(), TaskGuest::nowhere, plenty);
  CHECK(found.nodes.empty());
  REQUIRE(found.broken);
  CHECK_THAT(*found.broken, Catch::Contains("can't be read"));
}

TEST_CASE("list: zeros where a head should be are a list that is broken") {
  TaskGuest guest;
  const ListNodes found = walk_list(guest.memory(), guest.allocate(16), plenty);
  CHECK(found.nodes.empty());
  CHECK(found.broken);
}

TEST_CASE("list: a longer one than may be is cut, and no node is named twice") {
  List list(100);
  const ListNodes found = list.walk(10);
  CHECK(list.numbers(found) == Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  REQUIRE(found.broken);
  CHECK_THAT(*found.broken, Catch::Contains("has no end"));
  CHECK_FALSE(list.walk(100).broken);
}

}  // namespace photon_dmesg::test
