#include "kernel/symbols/name_index.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace photon_dmesg::test {

TEST_CASE("NameIndex: every entry of a name is there, in ascending order") {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back(i % 10 == 0 ? "twin" : "n" + std::to_string(i));
  const NameIndex index(names.size(),
                        [&](std::size_t entry) { return std::string_view(names[entry]); });
  const auto find = [&](std::string_view name) {
    std::vector<std::size_t> found;
    std::size_t others = 0;
    index.for_each(name, [&](std::size_t entry) {
      if (names[entry] == name) {
        found.push_back(entry);
      } else {
        ++others;
      }
    });
    CHECK(others < 100);
    return found;
  };
  const std::vector<std::size_t> twins = find("twin");
  CHECK(twins.size() == 100);
  CHECK(std::is_sorted(twins.begin(), twins.end()));
  CHECK(find("n999") == std::vector<std::size_t>{999});
  CHECK(find("absent").empty());
  CHECK(find("").empty());
}

TEST_CASE("NameIndex: of no entries there is none") {
  std::size_t visited = 0;
  const auto count = [&](std::size_t) { ++visited; };
  NameIndex().for_each("name", count);
  NameIndex(0, [](std::size_t) { return std::string_view(); }).for_each("name", count);
  CHECK(visited == 0);
}

}  // namespace photon_dmesg::test
