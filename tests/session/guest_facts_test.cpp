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

TEST_CASE("Workers are missing if those of one CPU are") {
  GuestFacts facts = sample::healthy_facts();
  facts.cpus_of_pools = {0, 1};
  CHECK_FALSE(is_missing(facts, "workers"));
  facts.cpus_of_pools = {0};
  CHECK(is_missing(facts, "workers"));
}

}  // namespace
}  // namespace photon_dmesg
