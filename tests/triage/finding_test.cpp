#include "triage/finding.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace photon_dmesg {
namespace {

TEST_CASE("Every kind of finding has a name of its own, by which it is found again") {
  std::set<std::string_view> names;
  for (const KindNames& kind : finding_kinds()) {
    CAPTURE(kind.name);
    CHECK(names.insert(kind.name).second);
    CHECK(finding_kind(kind.name) == kind.kind);
    CHECK(name_of(kind.kind) == kind.name);
    CHECK_FALSE(kind.title.empty());
  }
  CHECK_FALSE(finding_kind("nonsense"));
}

TEST_CASE("The kinds are listed in the order of verdicts") {
  int previous = -1;
  for (const KindNames& kind : finding_kinds()) {
    CHECK(static_cast<int>(kind.kind) == previous + 1);
    previous = static_cast<int>(kind.kind);
  }
}

TEST_CASE("Evidence says what was read, or which record says it") {
  CHECK(describe(Witness{.what = "panic_cpu", .value = "1"}) == "panic_cpu=1");
  CHECK(describe(Witness{.what = "Kernel panic", .record = 417, .nsec = 8'936'664'123}) ==
        "log record 417 at 8.936664: Kernel panic");
}

}  // namespace
}  // namespace photon_dmesg
