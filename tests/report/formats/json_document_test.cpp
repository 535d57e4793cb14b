#include "report/formats/json_document.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "report/formats/vocabulary.h"

namespace photon_dmesg::test {

TEST_CASE("JsonDocument: member by member it is what the library prints at once") {
  const Json object = {{"text", "a\nb"}, {"list", {1, 2}}, {"none", nullptr}, {"empty", Json({})}};
  const Json expected = {{"object", object},
                         {"none", Json::array()},
                         {"one", {object}},
                         {"several", {object, 7, Json::array(), object}},
                         {"last", nullptr}};
  std::ostringstream out;
  JsonDocument document(out);
  document.member("object", expected["object"]);
  for (const char* key : {"none", "one", "several"}) {
    document.begin_array(key);
    for (const Json& element : expected[key]) document.element(element);
    document.end_array();
  }
  document.member("last", expected["last"]);
  document.end();
  CHECK(out.str() == dump(expected, json_indent) + '\n');
}

TEST_CASE("JsonDocument: an element that is printed elsewhere stands where one of its own would") {
  std::ostringstream out;
  JsonDocument document(out);
  document.begin_array("list");
  for (const char* element : {"1", "2"}) out << document.begin_element() << element;
  document.end_array();
  document.end();
  CHECK(out.str() == dump({{"list", {1, 2}}}, json_indent) + '\n');
}

}  // namespace photon_dmesg::test
