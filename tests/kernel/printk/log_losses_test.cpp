#include "kernel/printk/log_losses.h"

#include <catch2/catch.hpp>
#include <initializer_list>

namespace photon_dmesg::test {
namespace {

std::string describe(std::initializer_list<std::uint64_t> seqs) {
  LossCounter lost;
  for (const std::uint64_t seq : seqs) lost.add(seq);
  return lost.describe("lost");
}

}  // namespace

TEST_CASE("LossCounter: one, several, and ranges of them") {
  CHECK(describe({7}) == "1 record lost (sequence number 7)");
  CHECK(describe({7, 9}) == "2 records lost (sequence numbers 7, 9)");
  CHECK(describe({7, 8}) == "2 records lost (sequence numbers 7, 8)");
  CHECK(describe({3, 7, 8, 9, 12, 20, 21, 22}) ==
        "8 records lost (sequence numbers 3, 7 to 9, 12, 20 to 22)");
}

TEST_CASE("LossCounter: more ranges than anyone wants to read end with the last number") {
  CHECK(describe({1, 3, 5, 7, 9, 11, 13, 15}) ==
        "8 records lost (sequence numbers 1, 3, 5, 7, 9, 11, 13, 15)");
  CHECK(describe({1, 3, 5, 7, 9, 11, 13, 15, 99}) ==
        "9 records lost (sequence numbers 1, 3, 5, 7, 9, 11, 13, ... 99)");
  CHECK(describe({1, 3, 5, 7, 9, 11, 13, 15, 99, 100, 101, 200}) ==
        "12 records lost (sequence numbers 1, 3, 5, 7, 9, 11, 13, ... 200)");
}

TEST_CASE("LossCounter: a stretch is added as one, and nothing is nothing") {
  LossCounter lost;
  lost.add(5, 0);
  CHECK(lost.empty());
  std::vector<std::string> losses;
  lost.report("lost", losses);
  CHECK(losses.empty());
  lost.add(5, 2'000'000'000);
  CHECK(lost.count() == 2'000'000'000);
  lost.report("lost", losses);
  CHECK(losses ==
        std::vector<std::string>{"2000000000 records lost (sequence numbers 5 to 2000000004)"});
}

}  // namespace photon_dmesg::test
