#include "kernel/log_losses.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("describe_loss: one, several, and more than anyone wants to read") {
  CHECK(describe_loss({7}, "lost") == "1 record lost (sequence number 7)");
  CHECK(describe_loss({7, 9}, "lost") == "2 records lost (sequence numbers 7, 9)");
  CHECK(describe_loss({1, 2, 3, 4, 5, 6, 7, 8}, "lost") ==
        "8 records lost (sequence numbers 1, 2, 3, 4, 5, 6, 7, 8)");
  CHECK(describe_loss({1, 2, 3, 4, 5, 6, 7, 8, 99}, "lost") ==
        "9 records lost (sequence numbers 1, 2, 3, 4, 5, 6, 7, ... 99)");
}

}  // namespace photon_dmesg::test
