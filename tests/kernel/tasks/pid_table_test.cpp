#include "kernel/tasks/pid_table.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t idr = 16;  // in pid_namespace
constexpr std::uint64_t root = 8;  // in its IDR
constexpr std::uint64_t slots = 40;
constexpr std::uint64_t slot_count = 64;

using Numbers = std::vector<std::uint64_t>;

// Tasks of which nothing is read but where they are.
constexpr GuestVirtual first_task{0xffff888000100000};
constexpr std::uint64_t task_distance = 0x1000;
GuestVirtual task(std::uint64_t number) {
  return first_task + number * task_distance;
}

// What marks the nodes of a tree.
constexpr std::uint64_t radix_mark = 1;
constexpr std::uint64_t xarray_mark = 2;

// A guest with the types and symbols of one kind of table.
struct Pids {
  TaskGuest guest;
  GuestVirtual space = guest.variable("init_pid_ns", 256);

  Pids() { guest.type("pid", 128, {{"tasks", 8, 24}, {"numbers", 48, 32, "upid"}}); }

  // The struct pid of a task that stands at `task`.
  GuestVirtual pid_of(GuestVirtual task) {
    const GuestVirtual pid = guest.allocate(128);
    guest.write(pid + 8, task + task_at::pid_links);
    guest.write(pid + 56, space);  // its first upid's namespace
    return pid;
  }

  // The tasks' numbers, sorted, since a table has no order; not more than a message can show.
  Numbers read() {
    const auto found = read_pid_table(guest.kernel(), guest.types());
    REQUIRE(found);
    REQUIRE(found->size() < 100);
    Numbers numbers;
    for (const GuestVirtual task : *found) numbers.push_back((task - first_task) / task_distance);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }
};

struct Tree : Pids {
  std::uint64_t mark;

  explicit Tree(std::uint64_t node_mark) : mark(node_mark) {
    const bool is_xarray = mark == xarray_mark;
    guest.type("pid_namespace", 256, {{"idr", idr, 24, "idr"}});
    guest.type("idr", 24, {{"idr_rt", 0, 16, "tree"}});
    guest.type("tree", 16, {{is_xarray ? "xa_head" : "rnode", root}});
    guest.type(is_xarray ? "xa_node" : "radix_tree_node", 576, {{"slots", slots, slot_count * 8}});
  }

  GuestVirtual node() { return guest.allocate(slots + slot_count * 8, 64); }
  void put(GuestVirtual node, std::uint64_t slot, std::uint64_t entry) {
    guest.write(node + slots + slot * 8, entry);
  }
  [[nodiscard]] std::uint64_t entry(GuestVirtual node) const { return node.value | mark; }
  void set_root(std::uint64_t entry) { guest.write(space + idr + root, entry); }
};

struct Hash : Pids {
  GuestVirtual buckets = guest.allocate(16 * 8);

  Hash() {
    guest.type("upid", 32, {{"nr", 0, 4}, {"ns", 8}, {"pid_chain", 16, 16}});
    guest.write(guest.variable("pid_hash"), buckets);
    guest.write(guest.variable("pidhash_shift"), 4, 4);
  }

  // Puts a struct pid into a bucket; where its node is.
  GuestVirtual put(std::uint64_t bucket, GuestVirtual pid) {
    const GuestVirtual node = pid + 64;
    guest.write(node, guest.read(buckets + bucket * 8));
    guest.write(buckets + bucket * 8, node);
    return node;
  }
};

}  // namespace

TEST_CASE("pid table: a tree of two levels, as an xarray since 4.20 and a radix tree before") {
  for (const std::uint64_t mark : {xarray_mark, radix_mark}) {
    Tree tree(mark);
    INFO("nodes marked by " << mark);
    const GuestVirtual top = tree.node();
    const GuestVirtual low = tree.node();
    const GuestVirtual high = tree.node();
    tree.put(low, 1, tree.pid_of(task(1)).value);
    tree.put(low, 63, tree.pid_of(task(2)).value);
    tree.put(high, 0, tree.pid_of(task(3)).value);
    tree.put(top, 0, tree.entry(low));
    tree.put(top, 1, tree.entry(high));
    tree.set_root(tree.entry(top));
    CHECK(tree.read() == Numbers{1, 2, 3});
  }
}

TEST_CASE("pid table: a tree with one pid at its root, and one with none") {
  for (const std::uint64_t mark : {xarray_mark, radix_mark}) {
    Tree tree(mark);
    CHECK(tree.read().empty());
    tree.set_root(tree.pid_of(task(1)).value);
    CHECK(tree.read() == Numbers{1});
  }
}

TEST_CASE("pid table: entries that are neither nodes nor pids are left out") {
  Tree tree(xarray_mark);
  const GuestVirtual top = tree.node();
  tree.put(top, 1, tree.pid_of(task(1)).value);
  tree.put(top, 2, 257U << 2 | 2);  // XA_ZERO_ENTRY: reserved, and no node
  tree.put(top, 3, 2);              // a sibling
  tree.put(top, 4, 0x1235);         // a number
  tree.put(top, 5, TaskGuest::nowhere.value);
  tree.put(top, 6, tree.entry(TaskGuest::nowhere));
  tree.set_root(tree.entry(top));
  CHECK(tree.read() == Numbers{1});
}

TEST_CASE("pid table: a pid whose thread has ended has no task") {
  Tree tree(xarray_mark);
  const GuestVirtual top = tree.node();
  const GuestVirtual pid = tree.pid_of(task(1));
  tree.guest.write(pid + 8, 0);
  tree.put(top, 1, pid.value);
  tree.set_root(tree.entry(top));
  CHECK(tree.read().empty());
}

TEST_CASE("pid table: a tree that holds itself comes to an end, with each pid once") {
  Tree tree(xarray_mark);
  const GuestVirtual top = tree.node();
  for (std::uint64_t i = 0; i < slot_count; ++i) tree.put(top, i, tree.entry(top));
  tree.put(top, 5, tree.pid_of(task(1)).value);
  tree.set_root(tree.entry(top));
  CHECK(tree.read() == Numbers{1});
}

TEST_CASE("pid table: a hash table, until 4.14") {
  Hash hash;
  hash.put(0, hash.pid_of(task(1)));
  hash.put(0, hash.pid_of(task(2)));
  hash.put(15, hash.pid_of(task(3)));
  CHECK(hash.read() == Numbers{1, 2, 3});
}

TEST_CASE("pid table: of the numbers that a task has in containers only the outermost counts") {
  Hash hash;
  const GuestVirtual pid = hash.pid_of(task(1));
  hash.put(3, pid);
  // The second number: 32 bytes further on, in a namespace of its own.
  hash.guest.write(pid + 48 + 32 + 8, hash.guest.allocate(64));
  hash.put(7, pid + 32);
  CHECK(hash.read() == Numbers{1});
}

TEST_CASE("pid table: a chain that comes back to itself costs no other chain, nor any pid twice") {
  Hash hash;
  const GuestVirtual pid = hash.pid_of(task(1));
  const GuestVirtual node = hash.put(2, pid);
  hash.guest.write(node, node);
  hash.put(3, hash.pid_of(task(2)));
  CHECK(hash.read() == Numbers{1, 2});
}

TEST_CASE("pid table: a chain into nowhere ends there") {
  Hash hash;
  const GuestVirtual node = hash.put(2, hash.pid_of(task(1)));
  hash.guest.write(node, TaskGuest::nowhere);
  hash.put(3, hash.pid_of(task(2)));
  CHECK(hash.read() == Numbers{1, 2});
}

TEST_CASE("pid table: there is none with a size that none has, nor without symbols or types") {
  Hash hash;
  SECTION("size") {
    const auto shift = hash.guest.kernel().find_address("pidhash_shift");
    hash.guest.write(*shift, 40, 4);
  }
  SECTION("types") {
    hash.guest.type("upid", 32, {{"nr", 0, 4}});
  }
  CHECK_FALSE(read_pid_table(hash.guest.kernel(), hash.guest.types()));
  TaskGuest other;
  CHECK_FALSE(read_pid_table(other.kernel(), other.types()));
}

}  // namespace photon_dmesg::test
