#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fuzz/seeds.h"
#include "fuzz/targets.h"
#include "support/bytes.h"
#include "support/file_content.h"

namespace photon_dmesg::fuzz {

// What libFuzzer begins with, and what it once found: with every compiler's checks.
TEST_CASE("fuzzers: every seed, and every input that was a fault once, ends as it should") {
  const std::filesystem::path seeds = FUZZ_SEEDS;
  for (const Target& target : targets) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(seeds / target.name)) {
      CAPTURE(entry.path().string());
      const std::string input = test::file_content(entry.path());
      CHECK_NOTHROW(run(target.run, test::as_bytes(input)));
      ++count;
    }
    CAPTURE(target.name);
    CHECK(count > 0);
  }
}

// Hidden: makes the seeds anew, in the folder that FUZZ_SEEDS_TO names.
TEST_CASE("fuzzers: make the seeds", "[.seeds]") {
  const char* folder = std::getenv("FUZZ_SEEDS_TO");
  REQUIRE(folder != nullptr);
  const PutSeed put = [&](std::string_view target, const std::string& name,
                          const std::string& bytes) {
    const std::filesystem::path place = std::filesystem::path(folder) / target;
    std::filesystem::create_directories(place);
    std::ofstream(place / name, std::ios::binary) << bytes;
  };
  make_guest_seeds(put);
  make_file_seeds(put);
  make_option_seeds(put);
  make_triage_seeds(put);
}

}  // namespace photon_dmesg::fuzz
