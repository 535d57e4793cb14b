#include "base/budget.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace photon_dmesg;

TEST_CASE("budget: it gives what it has, and all of it") {
  Budget pages("pages", 10);
  CHECK(pages.take(4));
  CHECK(pages.take(6));
  CHECK(pages.take(0));
  CHECK(pages.taken() == 10);
  CHECK_FALSE(pages.exceeded());
}

TEST_CASE("budget: it that was exceeded gives nothing more, however little is asked for") {
  Budget pages("pages", 10);
  CHECK(pages.take(9));
  CHECK_FALSE(pages.take(2));
  CHECK_FALSE(pages.take());
  CHECK(pages.taken() == 9);
  CHECK(pages.exceeded());
}

TEST_CASE("budget: a count that would overflow is more than any budget has") {
  Budget bytes("bytes", 10);
  CHECK(bytes.take());
  CHECK_FALSE(bytes.take(std::numeric_limits<std::uint64_t>::max()));
}

TEST_CASE("budget: it says what is left out, and only then") {
  CollectedDiagnostics diagnostics;
  Budget groups("groups of tags", 1);
  CHECK(groups.take());
  groups.warn_if_exceeded("vm.vmss", diagnostics);
  CHECK(diagnostics.warnings().empty());
  CHECK_FALSE(groups.take());
  groups.warn_if_exceeded("vm.vmss", diagnostics);
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{"vm.vmss: more than 1 groups of tags: the rest is left out"});
}
