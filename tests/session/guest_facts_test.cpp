#include "session/guest_facts.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/sample_facts.h"

namespace photon_dmesg {
namespace {

bool is_missing(const GuestFacts& facts, const std::string& what) {
  const std::vector<std::string> missing = missing_facts(facts);
  return std::find(missing.begin(), missing.end(), what) != missing.end();
}

TEST_CASE("A guest without disks is another thing than one whose disks can't be listed") {
  GuestFacts facts = sample::healthy_facts();
  facts.has_disks = true;
  CHECK_FALSE(is_missing(facts, "disks"));
  facts.has_disks = false;
  CHECK(is_missing(facts, "file systems"));
  CHECK_FALSE(is_missing(facts, "disks"));
  facts.file_systems.emplace_back();
  CHECK(is_missing(facts, "disks"));
}

TEST_CASE("Timers and workers are missing if those of one CPU are") {
  GuestFacts facts = sample::healthy_facts();
  facts.cpus_of_pools = {0, 1};
  CHECK_FALSE(is_missing(facts, "timers of CPUs"));
  CHECK_FALSE(is_missing(facts, "workers"));
  SECTION("where it can't be read") {
    facts.cpus[1].has_timers = false;
    facts.cpus[1].timer_due.reset();
    facts.cpus_of_pools = {0};
    CHECK(is_missing(facts, "timers of CPUs"));
    CHECK(is_missing(facts, "workers"));
  }
  SECTION("but not where none is due") {
    facts.cpus[1].timer_due.reset();
    CHECK_FALSE(is_missing(facts, "timers of CPUs"));
  }
  SECTION("nor where the CPU is not online") {
    facts.cpus[1].has_timers = false;
    facts.cpus[1].is_online = false;
    CHECK_FALSE(is_missing(facts, "timers of CPUs"));
  }
}

}  // namespace
}  // namespace photon_dmesg
