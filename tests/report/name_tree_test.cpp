#include "report/name_tree.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {
namespace {

const auto anywhere = [](std::size_t) { return true; };

TEST_CASE("A tree of names finds the longest that a text has at a place, whatever its case") {
  NameTree names;
  CHECK(names.empty());
  CHECK(names.longest("web-1", 0, anywhere).length == 0);
  names.add("web", "<1>");
  names.add("Web-1", "<2>");
  names.add("web", "<3>");
  CHECK_FALSE(names.empty());
  CHECK(names.longest("at WEB-1x", 3, anywhere).length == 5);
  CHECK(names.longest("at WEB-1x", 3, anywhere).value == "<2>");
  CHECK(names.longest("web-2", 0, anywhere).value == "<1>");
  CHECK(names.longest("we", 0, anywhere).length == 0);
  CHECK(names.longest("xweb", 0, anywhere).length == 0);
  CHECK(names.longest("web-1", 0, [](std::size_t length) { return length < 5; }).value == "<1>");
}

TEST_CASE("A tree of names has those that were added") {
  NameTree names;
  names.add("web-1", "x");
  CHECK(names.has("WEB-1"));
  CHECK_FALSE(names.has("web"));
  CHECK_FALSE(names.has("web-10"));
  CHECK_FALSE(names.has(""));
}

}  // namespace
}  // namespace photon_dmesg::test
