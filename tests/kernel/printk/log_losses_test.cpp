#include "kernel/printk/log_losses.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("describe_loss: one, several, and ranges of them") {
  CHECK(describe_loss({7}, "lost") == "1 record lost (sequence number 7)");
  CHECK(describe_loss({7, 9}, "lost") == "2 records lost (sequence numbers 7, 9)");
  CHECK(describe_loss({7, 8}, "lost") == "2 records lost (sequence numbers 7, 8)");
  CHECK(describe_loss({3, 7, 8, 9, 12, 20, 21, 22}, "lost") ==
        "8 records lost (sequence numbers 3, 7 to 9, 12, 20 to 22)");
}

TEST_CASE("describe_loss: more ranges than anyone wants to read end with the last number") {
  CHECK(describe_loss({1, 3, 5, 7, 9, 11, 13, 15}, "lost") ==
        "8 records lost (sequence numbers 1, 3, 5, 7, 9, 11, 13, 15)");
  CHECK(describe_loss({1, 3, 5, 7, 9, 11, 13, 15, 99}, "lost") ==
        "9 records lost (sequence numbers 1, 3, 5, 7, 9, 11, 13, ... 99)");
}

}  // namespace photon_dmesg::test
