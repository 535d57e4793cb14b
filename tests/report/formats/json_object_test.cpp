#include "report/formats/json_object.h"

#include <catch2/catch.hpp>
#include <random>

#include "report/formats/json_text.h"

namespace photon_dmesg::test {
namespace {

// Every byte, characters of every length, those that steer a terminal, and what is no UTF-8.
std::vector<std::string> texts() {
  std::vector<std::string> texts = {
      "",         "plain",        "\xc3\xa9", "\xe2\x80\xa8", "\xd8\x9c", "\xf0\x9f\x98\x80",
      "\xc2\x85", "\xed\xa0\x80", "\xf5",     "\xc3"};
  for (int byte = 0; byte < 256; ++byte) {
    texts.push_back(std::string("a") + static_cast<char>(byte) + "z");
  }
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same texts each time
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (unsigned j = 0; j < random() % 20; ++j) text += texts[random() % 266];
    texts.push_back(text);
  }
  return texts;
}

}  // namespace

TEST_CASE("JsonObject: any text is what the library makes of it as valid UTF-8") {
  for (const std::string& text : texts()) {
    CAPTURE(text);
    std::string printed;
    const bool changed = append_json_text(printed, text);
    const ValidUtf8 valid = to_utf8(text);
    REQUIRE(printed == dump(Json(valid.text)));
    REQUIRE(changed == valid.changed);
  }
}

TEST_CASE(
    "JsonObject: every kind of member is what the library prints, on one line and on several") {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    for (const double real :
         {0.0, 1.0, 0.000001, 0.1, 1.234567, 123456.789, 4294967.296001, 18446744073709.551615}) {
      CAPTURE(number, real);
      const Json expected = {{"number", number}, {"real", real},          {"yes", true},
                             {"no", false},      {"text", "a\"b\\c\x1b"}, {"list", {1, 2}}};
      std::string line;
      std::string lines;
      for (std::string* out : {&line, &lines}) {
        JsonObject json(*out, out == &line ? -1 : 2);
        json.add("number", number);
        json.add("real", real);
        json.add("yes", true);
        json.add("no", false);
        json.add_text("text", "a\"b\\c\x1b");
        json.add_printed("list", out == &line ? "[1,2]" : "[\n    1,\n    2\n  ]");
        json.end(0);
      }
      CHECK(line == dump(expected));
      CHECK(lines == dump(expected, 2));
    }
  }
}

TEST_CASE("JsonObject: seconds of microseconds are the digits that the library prints") {
  std::mt19937_64 random(2);  // NOLINT(cert-msc51-cpp): the same numbers each time
  for (int i = 0; i < 20000; ++i) {
    const double seconds = static_cast<double>(random() >> (random() % 60)) / 1e6;
    std::string printed;
    JsonObject json(printed, -1);
    json.add("time", seconds);
    json.end(0);
    REQUIRE(printed == Json{{"time", seconds}}.dump());
  }
}

TEST_CASE("JsonObject: an empty one is empty on one line and on several") {
  for (const int indent : {-1, 4}) {
    std::string printed;
    JsonObject(printed, indent).end(2);
    CHECK(printed == "{}");
  }
}

}  // namespace photon_dmesg::test
