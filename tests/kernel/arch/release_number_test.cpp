#include "kernel/arch/release_number.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("release number: the first two numbers") {
  CHECK(release_number("4.19.325-1.ph3-esx") == ReleaseNumber{4, 19});
  CHECK(release_number("6.1") == ReleaseNumber{6, 1});
  CHECK(release_number("7.3-rc1") == ReleaseNumber{7, 3});
  CHECK(release_number("10.20.30") == ReleaseNumber{10, 20});
}

TEST_CASE("release number: they are compared as numbers") {
  CHECK(release_number("4.9.0") < release_number("4.19.0"));
  CHECK(release_number("4.19.0") < release_number("5.3.0"));
  CHECK(release_number("9.9") < release_number("10.0"));
}

TEST_CASE("release number: 0.0 of what is none") {
  for (const char* text :
       {"", "6", "6.", ".1", "six.one", "-6.1", "6.x", "99999999999.1", "6.99999999999"}) {
    INFO(text);
    CHECK(release_number(text) == ReleaseNumber{});
  }
}

}  // namespace photon_dmesg::test
