#include "cli/log_extent.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {
namespace {

using Origin = LogRecord::Origin;
using Texts = std::vector<std::string>;

// Records [first, end).
void add(LogExtent& extent, Origin origin, std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t seq = first; seq < end; ++seq) {
    LogRecord record;
    record.seq = seq;
    record.origin = origin;
    extent.add(record);
  }
}

Texts overwritten(const LogExtent& extent, const Selection& selection = {}) {
  CollectedDiagnostics diagnostics;
  extent.warn_of_overwritten(selection, diagnostics);
  return diagnostics.warnings();
}

const std::optional<ClockHistory> no_clock;

const Texts middle_is_gone = {
    "the kernel has overwritten the 6 records behind record 3: up to that they are of the buffer "
    "of early boot, the log itself begins with record 10"};

}  // namespace

TEST_CASE("LogExtent: that the oldest records are overwritten is said") {
  LogExtent extent(no_clock);
  add(extent, Origin::Log, 10, 20);
  CHECK(overwritten(extent) ==
        Texts{"the kernel has overwritten the 10 oldest records: the log begins with record 10"});
}

TEST_CASE("LogExtent: what is gone between records of early boot and the log is said") {
  LogExtent extent(no_clock);
  add(extent, Origin::StaticBuffer, 0, 4);
  CHECK(overwritten(extent).empty());
  add(extent, Origin::Log, 10, 20);
  CHECK(overwritten(extent) == middle_is_gone);
}

TEST_CASE("LogExtent: both may be gone") {
  LogExtent extent(no_clock);
  add(extent, Origin::StaticBuffer, 2, 4);
  add(extent, Origin::Log, 10, 20);
  CHECK(overwritten(extent).size() == 2);
}

TEST_CASE("LogExtent: records of early boot that the log goes on from have no gap behind them") {
  LogExtent extent(no_clock);
  add(extent, Origin::StaticBuffer, 0, 4);
  add(extent, Origin::Log, 4, 6);
  add(extent, Origin::Log, 7, 9);  // which another warning is of
  CHECK(overwritten(extent).empty());
}

TEST_CASE("LogExtent: what is overwritten is no news where it is not asked for") {
  LogExtent extent(no_clock);
  add(extent, Origin::StaticBuffer, 0, 4);
  add(extent, Origin::Log, 10, 20);
  Selection selection;
  SECTION("but for records from within it on") {
    selection.first_seq = GENERATE(2U, 9U);
    CHECK(overwritten(extent, selection) == middle_is_gone);
  }
  SECTION("later records") {
    selection.first_seq = 10;
    CHECK(overwritten(extent, selection).empty());
  }
  SECTION("the last ones") {
    selection.tail = 5;
    CHECK(overwritten(extent, selection).empty());
  }
  SECTION("those since a time") {
    selection.since_usec = 1;
    CHECK(overwritten(extent, selection).empty());
  }
}

}  // namespace photon_dmesg::test
