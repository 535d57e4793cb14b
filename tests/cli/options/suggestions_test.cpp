#include "cli/options/suggestions.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("suggestions: letters put in, left out, replaced and swapped are counted") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("info", "info") == 0);
  CHECK(edit_distance("inf", "info") == 1);
  CHECK(edit_distance("", "info") == 4);
  CHECK(edit_distance("tial", "tail") == 1);
  CHECK(edit_distance("ifno", "info") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("sitting", "kitten") == 3);
}

TEST_CASE("suggestions: the nearest name, if it is near") {
  const std::vector<std::string> names = {"--json", "--head", "--tail", "--screenshot"};
  CHECK(nearest("--jsn", names) == "--json");
  CHECK(nearest("--tial", names) == "--tail");
  CHECK(nearest("--screen", names) == "--screenshot");  // begun
  CHECK(nearest("-json", names) == "--json");
  CHECK_FALSE(nearest("--nonsense", names));
  CHECK_FALSE(nearest("gone", {"core"}));
  CHECK_FALSE(nearest("-z", names));
  CHECK_FALSE(nearest("", names));
  CHECK_FALSE(nearest("--", names));
  CHECK_FALSE(nearest("--json", {}));
}

}  // namespace photon_dmesg::test
